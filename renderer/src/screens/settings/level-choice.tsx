/** The level of runs for which nobody else says one: with what each uploads, needs and costs. */
import { Alert, Group, Select, Stack, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { RECORDING_LEVELS } from '../../../../agent/base/words.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { nameOf } from './names.ts';
import { provenanceOf, useChangeSettings, type Setting } from './use-settings.ts';

type Level = Shapes['RecordingLevel'];

const money = new Intl.NumberFormat(undefined, {
  style: 'currency',
  currency: 'USD',
  maximumFractionDigits: 2,
});

export function LevelChoice({ setting }: { setting: Setting }): ReactNode {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/recording/levels');
  const change = useChangeSettings();
  const levels = data?.items ?? [];
  const { isStronger, words } = provenanceOf(setting);
  const chosen = levels.find(({ level }) => level === setting.value);
  return (
    <Stack gap={6}>
      <Select
        label={nameOf(setting.key)}
        description="For runs whose task or script says none."
        data={RECORDING_LEVELS.map((level) => ({
          value: level,
          label: level,
          disabled: levels.some((each) => each.level === level && !each.allowed),
        }))}
        value={String(setting.value)}
        allowDeselect={false}
        disabled={isStronger || change.isPending}
        onChange={(level) => change.mutate({ [setting.key]: level })}
        maxDropdownHeight={460}
        maw={560}
        renderOption={({ option, checked }) => (
          <Option
            name={option.value}
            level={levels.find(({ level }) => level === option.value)}
            isChosen={checked === true}
          />
        )}
      />
      {chosen && (
        <Text size="sm" maw={640}>
          {chosen.uploads} <Cost level={chosen} />
        </Text>
      )}
      <Text size="xs" c="dimmed" className="breakable">
        {words}
      </Text>
      {data && <NowCounts levels={data} />}
      <ErrorNotice title="Not saved" error={change.error} />
      {error !== null && (
        <ErrorNotice
          title="What the levels mean cannot be shown"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
    </Stack>
  );
}

function Option({
  name,
  level,
  isChosen,
}: {
  name: string;
  level: Level | undefined;
  isChosen: boolean;
}): ReactNode {
  return (
    <Group wrap="nowrap" align="flex-start" gap="xs" w="100%">
      <IconCheck
        size={16}
        aria-hidden
        style={{ marginTop: 2, flexShrink: 0, visibility: isChosen ? 'visible' : 'hidden' }}
      />
      <div>
        <Text size="sm" fw={600}>
          {name}
          {level && ` · ${level.title}`}
        </Text>
        {level && (
          <Text size="xs">
            {level.uploads} <Cost level={level} />
            {!level.allowed && ' Above what may leave this machine.'}
          </Text>
        )}
      </div>
    </Group>
  );
}

/** e.g. `About 20 MB a session; at 300 sessions a month 6.0 GB, $0.14 each month.` */
function Cost({ level: { level, estimate } }: { level: Level }): ReactNode {
  const { bytes_per_session, sessions_per_month, bytes_per_month, dollars_per_month } = estimate;
  if (bytes_per_session === 0) return null;
  const session = level === 'ERROR' && estimate.from === 'default' ? 'a failed session' : 'a session';
  const perMonth =
    sessions_per_month === 0
      ? ''
      : `; at ${formatCount(sessions_per_month)} sessions a month ${formatBytes(bytes_per_month)}, ${dollarWords(dollars_per_month)} a month of storage`;
  const basis =
    estimate.from === 'runs'
      ? `measured on ${formatCount(estimate.runs)} runs of this machine`
      : 'a first estimate';
  return (
    <Text span inherit c="dimmed">
      About {formatBytes(bytes_per_session)} {session}
      {perMonth} ({basis}).
    </Text>
  );
}

function dollarWords(dollars: number): string {
  return dollars < 0.01 ? 'less than one cent' : money.format(dollars);
}

/** Said only where it is not simply what is chosen above. */
function NowCounts({ levels }: { levels: Shapes['RecordingLevels'] }): ReactNode {
  const { current, default_level, override, cap } = levels;
  if (current.level === default_level) {
    return (
      <Text size="sm">
        Counts now: <b>{current.level}</b>.
      </Text>
    );
  }
  return (
    <Alert color="yellow" title={`Counts now: ${current.level}, not ${default_level}`} maw={640}>
      <Text size="sm" className="breakable">
        {reasonWords(current.reason, override, cap.level)}
      </Text>
    </Alert>
  );
}

function reasonWords(reason: string, override: string | null, cap: string): string {
  if (reason.startsWith('capped')) {
    return `No more than ${cap} may leave this machine; see the next setting.`;
  }
  if (override !== null) {
    return 'The environment variable RECORDING_LEVEL_OVERRIDE of the agent is stronger than everything but the cap. Without it, the level chosen here counts.';
  }
  if (reason.includes('level_by_env')) return 'The table “Level by environment” below names another one.';
  return `Because of ${reason}.`;
}
