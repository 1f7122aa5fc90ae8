import { Component, type ReactNode } from 'react';
import { ErrorNotice } from './error-notice.tsx';

/** An error of one screen stays in it: the others, and the way to them, go on. */
export class ScreenBoundary extends Component<{ children: ReactNode }, { thrown: unknown }> {
  override state: { thrown: unknown } = { thrown: null };

  static getDerivedStateFromError(thrown: unknown): { thrown: unknown } {
    return { thrown };
  }

  override render(): ReactNode {
    const { thrown } = this.state;
    if (thrown === null) return this.props.children;
    return (
      <ErrorNotice
        title="This screen cannot be shown"
        error={thrown}
        onRetry={() => this.setState({ thrown: null })}
      />
    );
  }
}
