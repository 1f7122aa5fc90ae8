import type { ReactNode } from 'react';
import { SettingField } from './setting-field.tsx';
import type { Setting } from './use-settings.ts';

/** The level of runs for which nobody else says one. */
export function LevelChoice({ setting }: { setting: Setting }): ReactNode {
  return <SettingField setting={setting} />;
}
