import type { BrowserContext } from 'playwright';
import type { ArtifactKind } from '../artifact-kinds.ts';
import type { CaptureSource, CaptureTools } from '../capture-source.ts';
import type { TraceCapture } from '../trace-capture.ts';

/** A source whose artifact is made of the trace, which all of them share: it starts and stops once. */
export abstract class TraceSource implements CaptureSource {
  abstract readonly name: string;
  abstract readonly kinds: readonly ArtifactKind[];
  readonly reads = 'browser';
  protected readonly tools: CaptureTools;
  protected readonly capture: TraceCapture;

  constructor(tools: CaptureTools, capture: TraceCapture) {
    this.tools = tools;
    this.capture = capture;
  }

  start(context: BrowserContext): Promise<void> {
    return this.capture.start(context);
  }

  stop(): Promise<void> {
    return this.capture.stop();
  }

  artifacts(): void {
    if (this.capture.exists) this.write();
  }

  /** Writes the artifact. Called only when there is a trace. */
  protected abstract write(): void;
}
