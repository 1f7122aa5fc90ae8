/** How much of each run is recorded and uploaded, and how long this machine keeps it. */
import type { ReactNode } from 'react';
import { LevelChoice } from './level-choice.tsx';
import { Section } from './section.tsx';
import { SettingField } from './setting-field.tsx';
import type { Setting } from './use-settings.ts';

const DESCRIPTIONS: Record<string, string> = {
  'recording.max_level':
    'Nothing above this level is uploaded, whoever asks for it: a task, a script or the settings here.',
  'recording.level_by_env':
    'For runs of one environment, e.g. prod. Counts unless the task or the script says another level.',
  'recording.level_by_agent':
    'For tasks of one agent or state machine, by its name. Stronger than the level by environment.',
  'recording.keep_level': 'What this machine keeps of each run for its history, whatever is uploaded.',
  'recording.keep_days': 'After so many days the pictures and files of a run are removed from this machine.',
  'recording.keep_gb':
    'Above it the oldest are removed first, those that are uploaded already before the others.',
};

export function RecordingSection({ find }: { find: (key: string) => Setting | undefined }): ReactNode {
  const level = find('recording.default_level');
  return (
    <Section
      title="Recording"
      description="Pictures, pages, traces and videos of runs are evidence: they show what happened. The level says how much of it is uploaded."
    >
      {level && <LevelChoice setting={level} />}
      {Object.entries(DESCRIPTIONS).map(([key, description]) => {
        const setting = find(key);
        return setting && <SettingField key={key} setting={setting} description={description} />;
      })}
    </Section>
  );
}
