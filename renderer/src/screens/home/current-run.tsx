/** A run that is open now: how far it is, and the picture of it. */
import { Anchor, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { Shapes } from '../../api/api.ts';
import { LevelBadge, StateBadge } from '../../ui/badges.tsx';
import { formatDuration } from '../../ui/format.ts';
import { LiveView } from '../../ui/live-view.tsx';
import { OpenRunActions } from '../runs/run-actions.tsx';

type Current = Shapes['Summary']['current'][number];

/** How often the elapsed time is written anew, in milliseconds. */
const TICK_MS = 1_000;

export function CurrentRun({ run, isWatched }: { run: Current; isWatched: boolean }): ReactNode {
  return (
    <Paper withBorder p="md" component="article" aria-label={run.script_name}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start" gap="sm">
          <Stack gap={4} miw={0} style={{ flex: '1 1 260px' }}>
            <Group gap="xs">
              <Anchor component={Link} href={`/runs/${run.run_id}`} fw={600} className="breakable">
                {run.script_name}
              </Anchor>
              <StateBadge run={run} />
              <LevelBadge level={run.level} reason={run.level_reason} />
            </Group>
            <Text size="sm" c="dimmed" className="breakable">
              <StepWords run={run} />
              {run.started_at !== null && (
                <>
                  {' · '}
                  <Elapsed since={run.started_at} />
                </>
              )}
              {run.profile !== null && ` · profile ${run.profile}`}
            </Text>
          </Stack>
          <Group gap="xs">
            <OpenRunActions run={run} />
          </Group>
        </Group>
        {run.step !== null && run.of_steps !== null && run.of_steps > 0 && (
          <Progress
            value={(Math.max(0, run.step - 1) / run.of_steps) * 100}
            aria-label={`Progress of ${run.script_name}`}
          />
        )}
        {isWatched && run.state === 'running' && <LiveView runId={run.run_id} height="min(52vh, 460px)" />}
      </Stack>
    </Paper>
  );
}

function StepWords({ run }: { run: Current }): ReactNode {
  if (run.state === 'waiting') return 'Waits until its profile is free';
  if (run.state === 'queued') return 'Waits for its turn';
  if (run.step === null) return run.step_name ?? 'Begins';
  const place = run.of_steps === null ? `Step ${run.step}` : `Step ${run.step} of ${run.of_steps}`;
  return run.step_name === null ? place : `${place}: ${run.step_name}`;
}

function Elapsed({ since }: { since: string }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  const { start, stop } = useInterval(() => setNow(Date.now()), TICK_MS);
  useEffect(() => {
    start();
    return stop;
  }, [start, stop]);
  return (
    <span className="numbers">
      {formatDuration(Math.max(0, Math.floor((now - Date.parse(since)) / 1_000) * 1_000))}
    </span>
  );
}
