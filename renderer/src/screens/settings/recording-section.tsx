/** How much of each run is recorded and uploaded, and how long this machine keeps it. */
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useApi } from '../../api/api.ts';
import { formatBytes } from '../../ui/format.ts';
import { LevelChoice } from './level-choice.tsx';
import { PLACED } from './names.ts';
import { Section } from './section.tsx';
import { SettingField } from './setting-field.tsx';
import type { Setting } from './use-settings.ts';

export function RecordingSection({ find }: { find: (key: string) => Setting | undefined }): ReactNode {
  const level = find('recording.default_level');
  return (
    <Section
      title="Recording"
      description="Pictures, pages, traces and videos of runs are evidence: they show what happened. The level says how much of it is uploaded."
    >
      {level && <LevelChoice setting={level} />}
      {PLACED.recording.map((key) => {
        const setting = key === level?.key ? undefined : find(key);
        return setting && <SettingField key={key} setting={setting} />;
      })}
      <UsedSpace />
    </Section>
  );
}

function UsedSpace(): ReactNode {
  const { query } = useApi();
  const { data } = query.useQuery('get', '/api/v1/recording/levels');
  if (!data) return null;
  return (
    <Text size="sm">
      {data.kept_bytes === 0
        ? 'No run keeps files on this computer yet.'
        : `Kept runs take ${formatBytes(data.kept_bytes)} on this computer now.`}
    </Text>
  );
}
