/** What the agent writes about its work, as it writes it. */
import { Alert, Button, CopyButton, Group, Loader, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconArrowBarToDown, IconFolder, IconNotes, IconPlayerPause, IconSearch } from '@tabler/icons-react';
import { useCallback, useState, type ReactNode } from 'react';
import { LOG_LEVELS } from '../../../../agent/base/log-line.ts';
import { bridge } from '../../bridge.ts';
import { useHashQuery } from '../../location.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatCount } from '../../ui/format.ts';
import { openFolder } from '../../ui/open-outside.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { DiagnosticsButton } from './diagnostics-button.tsx';
import { LogList } from './log-list.tsx';
import { useLog, type LogFilter, type LogLine } from './use-log.ts';

/** Between the last key and the search, in milliseconds. */
const TYPING_MS = 300;

const LEVEL_CHOICES = [
  { value: '', label: 'All levels' },
  { value: 'info', label: 'info and above' },
  { value: 'warn', label: 'warn and above' },
  { value: 'error', label: 'error and above' },
];

const RUN_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export default function Log(): ReactNode {
  const [filter, changeFilter] = useLogFilter();
  const { lines, error, lost, older, retry } = useLog(filter);
  const [isFollowing, setFollowing] = useState(true);
  const [isLoadingOlder, setLoadingOlder] = useState(false);
  const pause = useCallback(() => setFollowing(false), []);
  const items = lines?.items ?? [];
  const showOlder = (): void => {
    setFollowing(false);
    setLoadingOlder(true);
    void older().finally(() => setLoadingOlder(false));
  };
  return (
    <>
      <PageHeader
        title="Log"
        description="What the agent writes about its work, as it writes it. Passwords and keys are left out."
        actions={
          <>
            {bridge && (
              <Button
                variant="default"
                leftSection={<IconFolder size={16} aria-hidden />}
                onClick={() => openFolder({ kind: 'logs' })}
              >
                Open log folder
              </Button>
            )}
            <DiagnosticsButton />
          </>
        }
      />
      <Stack gap="sm">
        <Filters filter={filter} onChange={changeFilter} />
        {error !== null && <ErrorNotice title="The log cannot be read" error={error} onRetry={retry} />}
        {lost > 0 && (
          <Text size="sm" role="status">
            {formatCount(lost)} lines came faster than they could be shown. They are in the log file.
          </Text>
        )}
        {lines?.isKept === false && (
          <Alert color="yellow" title="The log is not kept">
            Only what is written while this page is open is shown. The setting “File” in the group Log keeps
            it.
          </Alert>
        )}
        {lines === null && error === null && <Loader role="status" aria-label="Loading" />}
        {lines !== null && items.length === 0 && <NoLines filter={filter} />}
        {lines !== null && items.length > 0 && (
          <>
            <Group justify="space-between" gap="xs">
              <Group gap="xs">
                <Button
                  size="xs"
                  variant="default"
                  leftSection={
                    isFollowing ? (
                      <IconPlayerPause size={14} aria-hidden />
                    ) : (
                      <IconArrowBarToDown size={14} aria-hidden />
                    )
                  }
                  onClick={() => setFollowing(!isFollowing)}
                >
                  {isFollowing ? 'Pause scrolling' : 'Follow new lines'}
                </Button>
                {lines.olderCursor !== null && (
                  <Button size="xs" variant="default" loading={isLoadingOlder} onClick={showOlder}>
                    Show older lines
                  </Button>
                )}
              </Group>
              <Group gap="xs">
                <Text size="xs" c="dimmed" className="numbers">
                  {items.length === 1 ? 'One line' : `${formatCount(items.length)} lines`}
                </Text>
                <CopyButton value={textOf(items)}>
                  {({ copied, copy }) => (
                    <Button size="xs" variant="default" onClick={copy}>
                      {copied ? 'Copied' : 'Copy all'}
                    </Button>
                  )}
                </CopyButton>
              </Group>
            </Group>
            <LogList lines={items} isFollowing={isFollowing} onPause={pause} />
          </>
        )}
      </Stack>
    </>
  );
}

/** In the address, so that other screens can link to the lines of a run. */
function useLogFilter(): [LogFilter, (change: Record<string, string | null>) => void] {
  const [query, change] = useHashQuery();
  const level = query.get('level');
  const runId = query.get('run_id');
  return [
    {
      level: LOG_LEVELS.find((each) => each === level) ?? null,
      q: query.get('q') ?? '',
      runId: runId !== null && RUN_ID.test(runId) ? runId : null,
    },
    change,
  ];
}

function Filters({
  filter,
  onChange,
}: {
  filter: LogFilter;
  onChange: (change: Record<string, string | null>) => void;
}): ReactNode {
  const [text, setText] = useState(filter.q);
  const [run, setRun] = useState(filter.runId ?? '');
  const search = useDebouncedCallback((q: string) => onChange({ q }), TYPING_MS);
  const isRunWrong = run !== '' && !RUN_ID.test(run);
  const [shownRun, setShownRun] = useState(filter.runId);
  if (shownRun !== filter.runId) {
    // A link of a line changed it.
    setShownRun(filter.runId);
    setRun(filter.runId ?? '');
  }
  return (
    <Group gap="sm" align="flex-start">
      <TextInput
        aria-label="Search the log"
        placeholder="Search the log"
        type="search"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        maxLength={200}
        flex="1 1 200px"
        onChange={(event) => {
          setText(event.currentTarget.value);
          search(event.currentTarget.value.trim());
        }}
      />
      <Select
        aria-label="Level"
        data={LEVEL_CHOICES}
        value={filter.level ?? ''}
        allowDeselect={false}
        w={160}
        onChange={(level) => onChange({ level })}
      />
      <TextInput
        aria-label="Only of the run with this id"
        placeholder="Id of a run"
        value={run}
        flex="1 1 200px"
        error={isRunWrong ? 'This is no id of a run' : null}
        onChange={(event) => {
          const next = event.currentTarget.value.trim();
          setRun(next);
          if (next === '' || RUN_ID.test(next)) onChange({ run_id: next });
        }}
      />
    </Group>
  );
}

function NoLines({ filter: { level, q, runId } }: { filter: LogFilter }): ReactNode {
  const isFiltered = level !== null || q !== '' || runId !== null;
  return (
    <EmptyState title={isFiltered ? 'No line is like that' : 'Nothing is written yet'} icon={IconNotes}>
      {isFiltered
        ? 'New lines that fit appear here by themselves. Another word or level shows more.'
        : 'As soon as the agent does something, it appears here.'}
    </EmptyState>
  );
}

function textOf(lines: readonly LogLine[]): string {
  return lines
    .map(({ time, level, message, run_id, fields }) => {
      const more = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
      return `${time} ${level} ${run_id === null ? '' : `[${run_id}] `}${message}${more}`;
    })
    .join('\n');
}
