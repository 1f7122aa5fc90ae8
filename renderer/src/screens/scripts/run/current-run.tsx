/** The run that was started from the editor: where it is, its live view, and what can be done with it. */
import { Alert, Anchor, Button, Group, Loader, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import {
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconUserExclamation,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from 'wouter';
import { answerOf } from '../../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../../api/api.ts';
import { LevelBadge, StateBadge } from '../../../ui/badges.tsx';
import { ErrorNotice } from '../../../ui/error-notice.tsx';
import { formatDuration } from '../../../ui/format.ts';
import { LiveView } from '../../../ui/live-view.tsx';

type Run = Shapes['RunDetail'];
type Verb = 'step' | 'resume' | 'pause' | 'cancel';

/** How often a run at work is looked at, beside what events say of it, in milliseconds. */
const REFRESH_MS = 1_000;

export function CurrentRun({
  runId,
  onStep,
}: {
  runId: string;
  onStep: (path: string | null) => void;
}): ReactNode {
  const { client, query } = useApi();
  const queryClient = useQueryClient();
  const path = { run_id: runId };
  const { data: run, error } = query.useQuery(
    'get',
    '/api/v1/runs/{run_id}',
    { params: { path } },
    // No event says that a paused run stands still by now.
    { refetchInterval: ({ state }) => (state.data?.ended_at === null ? REFRESH_MS : false) },
  );
  const act = useMutation({
    mutationFn: (verb: Verb) => answerOf(client.POST(`/api/v1/runs/{run_id}/${verb}`, { params: { path } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['get', '/api/v1/runs/{run_id}'] }),
  });
  const isThere = run !== undefined;
  const place = useRef<HTMLDivElement>(null);
  // In a narrow window it is below the text.
  useEffect(() => {
    if (isThere) place.current?.scrollIntoView({ block: 'start', behavior: 'smooth' });
  }, [isThere]);
  const last = run?.steps.at(-1);
  const stepPath = run && run.ended_at === null ? (last?.path ?? null) : failedPath(run);
  useEffect(() => {
    onStep(stepPath);
    return () => onStep(null);
  }, [onStep, stepPath]);
  if (!run) return error ? <ErrorNotice title="The run cannot be shown" error={error} /> : <Loader />;
  const isOver = run.ended_at !== null;
  return (
    <Paper
      ref={place}
      withBorder
      p="md"
      component="section"
      aria-labelledby="this-run"
      style={{ scrollMarginTop: 60 }}
    >
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Title order={2} size="h5" id="this-run">
            This run
          </Title>
          <Group gap="xs" role="status">
            <StateBadge run={run} />
            <LevelBadge level={run.level} reason={run.level_reason} />
          </Group>
        </Group>
        <Text size="sm" className="breakable" aria-live="polite">
          {wordsFor(run)}
        </Text>
        {run.waiting_for_person !== null && (
          <Alert color="yellow" icon={<IconUserExclamation aria-hidden />} title="It waits for you">
            {run.waiting_for_person}
          </Alert>
        )}
        {!isOver && (
          <>
            <Controls run={run} isBusy={act.isPending} onVerb={(verb) => act.mutate(verb)} />
            {run.state === 'running' ? (
              <LiveView runId={runId} height={360} />
            ) : (
              <Skeleton h={360} aria-hidden />
            )}
          </>
        )}
        {act.isError && <ErrorNotice error={act.error} />}
        {isOver && run.error && (
          <Alert color="red" title={run.advice?.title ?? run.error.name}>
            <Text size="sm" className="breakable">
              {run.error.message}
            </Text>
          </Alert>
        )}
        <Anchor component={Link} href={`/runs/${runId}`} size="sm">
          Show the whole run and its evidence
        </Anchor>
      </Stack>
    </Paper>
  );
}

function Controls({
  run,
  isBusy,
  onVerb,
}: {
  run: Run;
  isBusy: boolean;
  onVerb: (verb: Verb) => void;
}): ReactNode {
  const isPaused = run.pause?.kind === 'pause';
  return (
    <Group gap="xs">
      {isPaused ? (
        <>
          <Button
            size="xs"
            disabled={isBusy || run.pause?.standing !== true}
            leftSection={<IconPlayerSkipForward size={14} aria-hidden />}
            onClick={() => onVerb('step')}
          >
            One step
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlayerPlay size={14} aria-hidden />}
            onClick={() => onVerb('resume')}
          >
            Go on to the end
          </Button>
        </>
      ) : (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerSkipForward size={14} aria-hidden />}
          onClick={() => onVerb('pause')}
        >
          Pause before the next step
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerStop size={14} aria-hidden />}
        onClick={() => onVerb('cancel')}
      >
        Cancel the run
      </Button>
    </Group>
  );
}

function wordsFor(run: Run): string {
  const last = run.steps.at(-1);
  if (run.ended_at !== null) {
    const lasted = Date.parse(run.ended_at) - Date.parse(run.started_at ?? run.queued_at);
    const done = run.steps.filter(({ success }) => success === true).length;
    return `It took ${formatDuration(lasted)}; ${done} of ${run.steps.length} steps worked.`;
  }
  if (!last) return run.paused ? 'It stands still before its first step.' : 'It is about to begin.';
  const place = `step ${last.number}, ${last.name}`;
  if (last.state === 'intent') return `At ${place}.`;
  return run.pause?.standing === true ? `It stands still after ${place}.` : `Done with ${place}.`;
}

function failedPath(run: Run | undefined): string | null {
  return run?.steps.findLast(({ success }) => success === false)?.path ?? null;
}
