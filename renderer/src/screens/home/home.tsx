/** What the agent does now, what needs a person, and how the day was. */
import { Button, Center, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { IconMoodEmpty, IconPlugConnected } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useApi, type Shapes } from '../../api/api.ts';
import { navigate } from '../../location.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { CurrentRun } from './current-run.tsx';
import { Needs } from './needs.tsx';
import { RecentRuns } from './recent-runs.tsx';
import { Today } from './today.tsx';

/** Recent runs that are listed. */
const RECENT_RUNS = 6;
/** Summary and events do not tell of time that passes alone, e.g. of midnight: asked again so often, in milliseconds. */
const REFRESH_MS = 60_000;

const ENDED = 'succeeded,failed,cancelled,lost';

/** Whoever leaves the wizard for Home is not led back. */
let wasLed = false;

export default function Home(): ReactNode {
  const { query } = useApi();
  const [isBegin] = useState(() => !wasLed);
  const setup = query.useQuery('get', '/api/v1/setup');
  const summary = query.useQuery('get', '/api/v1/summary', {}, { refetchInterval: REFRESH_MS });
  const recent = query.useQuery('get', '/api/v1/runs', {
    params: { query: { state: ENDED, limit: RECENT_RUNS } },
  });
  if (setup.data && isBegin && isFirstStart(setup.data)) return <ToSetup />;
  if (!summary.data || !setup.data) {
    const error = summary.error ?? setup.error;
    return (
      <>
        <PageHeader title="Home" />
        {error ? (
          <ErrorNotice title="The agent cannot say how it is" error={error} />
        ) : (
          <Center mih={200} role="status" aria-label="Loading">
            <Loader />
          </Center>
        )}
      </>
    );
  }
  const runs = recent.data?.items ?? [];
  const { current, needs_person: needs } = summary.data;
  const isIdle = current.length === 0;
  // What is said large below is not said twice.
  const told = setup.data.mode === 'none' && isIdle ? needs.filter(({ kind }) => kind !== 'setup') : needs;
  return (
    <>
      <PageHeader title="Home" />
      <Stack gap="lg">
        <Needs needs={told} />
        {isIdle ? <Idle setup={setup.data} /> : <Now runs={current} />}
        {(summary.data.runs.total > 0 || runs.length > 0) && <Today summary={summary.data} />}
        <RecentRuns runs={runs} />
      </Stack>
    </>
  );
}

function ToSetup(): ReactNode {
  useEffect(() => {
    wasLed = true;
    navigate('/setup', { replace: true });
  }, []);
  return null;
}

function Now({ runs }: { runs: Shapes['Summary']['current'] }): ReactNode {
  const watched =
    runs.find(({ waiting_for_person: waits }) => waits !== null) ??
    runs.find(({ state }) => state === 'running');
  return (
    <Stack gap="sm" component="section" aria-labelledby="now">
      <Title order={2} size="h4" id="now">
        Now
      </Title>
      {runs.map((run) => (
        <CurrentRun key={run.run_id} run={run} isWatched={run.run_id === watched?.run_id} />
      ))}
    </Stack>
  );
}

function Idle({ setup }: { setup: Shapes['Setup'] }): ReactNode {
  if (setup.mode === 'none') {
    return (
      <EmptyState
        title="Not set up yet"
        icon={IconPlugConnected}
        action={
          <Group justify="center" gap="xs">
            <Button component={Link} href="/setup">
              Set up
            </Button>
            <Button component={Link} href="/scripts" variant="default">
              Run a script
            </Button>
          </Group>
        }
      >
        Once it is connected to AWS, tasks are taken and done here by themselves. It takes about a minute, and
        can be tried without AWS. Scripts can be run at any time.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title={setup.worker_state === 'paused' ? 'Paused' : 'Nothing to do right now'}
      icon={IconMoodEmpty}
      action={
        <Button component={Link} href="/scripts" variant="default">
          Run a script
        </Button>
      }
    >
      {setup.worker_state === 'paused' ? (
        <Text size="sm">No tasks are taken until you press “Take tasks again”.</Text>
      ) : (
        <Text size="sm">
          It waits for tasks from {setup.mode === 'sandbox' ? 'the stand-in for AWS' : 'AWS'} (environment{' '}
          {setup.environment}). To see it work, run a script yourself.
        </Text>
      )}
    </EmptyState>
  );
}

/** Nothing is set up, and nobody has been in the wizard: it is the way to begin. */
function isFirstStart({ configured, next, saved_at: savedAt }: Shapes['Setup']): boolean {
  return !configured && !next.configured && savedAt === null;
}
