/** All runs, newest first, with search and filters. */
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { IconListDetails, IconSearchOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useHashQuery } from '../../location.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatCount } from '../../ui/format.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { FILTER_NAMES, filterOf } from './filters.ts';
import { RunFilters } from './run-filters.tsx';
import { RunList } from './run-list.tsx';
import { useRunTotal } from './use-run-pages.ts';

export default function Runs(): ReactNode {
  const [query, change] = useHashQuery();
  const filter = filterOf(query);
  const { total, error } = useRunTotal(filter);
  const isFiltered = Object.keys(filter).length > 0;
  const clear = (): void => change(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])));
  return (
    <Stack
      gap={0}
      h="calc(100dvh - var(--app-shell-header-offset, 0rem) - 2 * var(--app-shell-padding))"
      mih={420}
    >
      <PageHeader title="Runs" />
      {(isFiltered || total !== 0) && <RunFilters query={query} change={change} />}
      <Text size="sm" c="dimmed" mb={6} role="status" mih="1.5em">
        {total !== null && total > 0 && countWords(total, isFiltered)}
      </Text>
      <Shown total={total} error={error} filter={filter} isFiltered={isFiltered} onClear={clear} />
    </Stack>
  );
}

function Shown({
  total,
  error,
  filter,
  isFiltered,
  onClear,
}: {
  total: number | null;
  error: unknown;
  filter: ReturnType<typeof filterOf>;
  isFiltered: boolean;
  onClear: () => void;
}): ReactNode {
  if (total === null) {
    if (error !== null && error !== undefined) {
      return <ErrorNotice title="The runs cannot be listed" error={error} />;
    }
    return (
      <Center mih={160} role="status" aria-label="Loading">
        <Loader />
      </Center>
    );
  }
  if (total > 0) return <RunList key={JSON.stringify(filter)} filter={filter} total={total} />;
  if (isFiltered) {
    return (
      <EmptyState
        title="No run matches"
        icon={IconSearchOff}
        action={
          <Button variant="default" onClick={onClear}>
            Show all runs
          </Button>
        }
      >
        Search finds parts of the name of a script, a profile or an error, and how the id of a run begins.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No runs yet"
      icon={IconListDetails}
      action={
        <Button component={Link} href="/scripts">
          Run a script
        </Button>
      }
    >
      Every run is listed here with its steps, pictures and results: those that come as tasks from AWS, and
      those that you start yourself.
    </EmptyState>
  );
}

function countWords(total: number, isFiltered: boolean): string {
  const runs = total === 1 ? 'One run' : `${formatCount(total)} runs`;
  return isFiltered ? `${runs} found` : `${runs}, newest first`;
}
