/** Step 6: one run of a small script on the built-in demo portal, to be watched. */
import { Anchor, Button, Group, Loader, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from 'wouter';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';
import { LevelBadge, StateBadge } from '../../ui/badges.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatDuration } from '../../ui/format.ts';
import { LiveView } from '../../ui/live-view.tsx';
import { PrimaryButton } from './primary-button.tsx';
import { StepFrame } from './step-frame.tsx';

/** A run of the queue is not in the list at once; and an event can be missed. Milliseconds. */
const LOOK_MS = 1_000;

const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled', 'lost']);

export function StepTest({
  runId,
  isSandbox,
  onStarted,
  finish,
  isFinishing,
  onBack,
}: {
  /** Of the test run that was begun; null: none yet. */
  runId: string | null;
  isSandbox: boolean;
  onStarted: (runId: string) => void;
  finish: () => void;
  isFinishing: boolean;
  onBack: () => void;
}): ReactNode {
  const { client, query } = useApi();
  const start = useMutation({
    mutationFn: async () =>
      answerOf(client.POST('/api/v1/setup/test-run', { body: { script: 'first-run' } })),
    onSuccess: ({ run_id }) => onStarted(run_id),
  });
  const { data: run } = query.useQuery(
    'get',
    '/api/v1/runs/{run_id}',
    { params: { path: { run_id: runId ?? '' } } },
    {
      enabled: runId !== null,
      refetchInterval: ({ state }) => (ENDED.has(state.data?.state ?? '') ? false : LOOK_MS),
    },
  );
  const isEnded = run !== undefined && ENDED.has(run.state);
  const isWell = run?.state === 'succeeded';
  const isWatched = run?.state === 'running';
  const isGoing = start.isPending || (runId !== null && !isEnded);
  const back = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The picture may have taken the focus; the way on gets it back.
    if (isEnded) back.current?.querySelector('button')?.focus();
  }, [isEnded]);
  const again = (
    <Button variant="default" loading={start.isPending} onClick={() => start.mutate()}>
      Run it again
    </Button>
  );
  return (
    <StepFrame
      title="Test run"
      description={
        isSandbox
          ? 'A small script does some clicks in a portal that is part of this program. It goes the whole way: from the queue of tasks, through the browser, back with a result.'
          : 'A small script does some clicks in a portal that is part of this program, and leaves its evidence as any run does.'
      }
      actions={
        <Group gap="xs" ref={back}>
          {isWell && (
            <PrimaryButton loading={isFinishing} onClick={finish}>
              Finish
            </PrimaryButton>
          )}
          {!isEnded && (
            <PrimaryButton loading={isGoing} onClick={() => start.mutate()}>
              Start the test run
            </PrimaryButton>
          )}
          {isEnded && again}
          {!isWell && (
            <Button variant="default" loading={isFinishing} disabled={isGoing} onClick={finish}>
              Finish without a test
            </Button>
          )}
          <Button variant="subtle" onClick={onBack} disabled={isGoing}>
            Back
          </Button>
        </Group>
      }
    >
      <ErrorNotice title="The test run could not begin" error={start.error} />
      {run && (
        <Group gap="xs" role="status">
          <StateBadge run={run} />
          <LevelBadge level={run.level} reason={run.level_reason} />
          <Text size="sm" c="dimmed" className="numbers">
            {run.script_name}
          </Text>
        </Group>
      )}
      {runId !== null && isWatched && <LiveView runId={runId} height={360} mode="viewer" />}
      {isGoing && !isWatched && (
        <Group gap="sm" role="status">
          <Loader size={20} aria-hidden />
          <Text size="sm" c="dimmed">
            {isSandbox ? 'The task is on its way to the agent…' : 'The browser starts…'}
          </Text>
        </Group>
      )}
      {run && isEnded && (
        <Text size="sm">
          {isWell
            ? `It worked${durationWords(run)}. `
            : `It did not work: ${run.error?.message ?? 'the run ended before its last step'} `}
          <Anchor component={Link} href={`/runs/${run.run_id}`}>
            See everything that was recorded
          </Anchor>
        </Text>
      )}
    </StepFrame>
  );
}

function durationWords({
  started_at,
  ended_at,
}: {
  started_at: string | null;
  ended_at: string | null;
}): string {
  if (started_at === null || ended_at === null) return '';
  return `, in ${formatDuration(Date.parse(ended_at) - Date.parse(started_at))}`;
}
