/** How a run stands, and its recording level: never by colour alone. */
import { Badge, Tooltip, type MantineColor, type MantineSize } from '@mantine/core';
import type { ReactNode } from 'react';
import type { RecordingLevel } from '../../../agent/base/words.ts';
import type { Shapes } from '../api/api.ts';

type Run = Pick<Shapes['Run'], 'state' | 'paused'>;

const STATES: Record<Run['state'], { label: string; color: MantineColor }> = {
  queued: { label: 'Waiting', color: 'gray' },
  waiting: { label: 'Waiting for its profile', color: 'gray' },
  running: { label: 'Running', color: 'blue' },
  succeeded: { label: 'Succeeded', color: 'green' },
  failed: { label: 'Failed', color: 'red' },
  cancelled: { label: 'Cancelled', color: 'gray' },
  lost: { label: 'Lost', color: 'orange' },
};

export function stateLabel(state: Run['state']): string {
  return STATES[state].label;
}

export function StateBadge({ run, size = 'sm' }: { run: Run; size?: MantineSize }): ReactNode {
  const { label, color } = run.paused ? { label: 'Paused', color: 'yellow' } : STATES[run.state];
  return (
    <Badge color={color} variant="light" size={size} tt="none" fw={600}>
      {label}
    </Badge>
  );
}

/** @param reason why it is this level; shown when the pointer or the keyboard is on it */
export function LevelBadge({ level, reason }: { level: RecordingLevel; reason?: string }): ReactNode {
  const badge = (
    <Badge
      variant="outline"
      color="gray"
      size="sm"
      tabIndex={reason === undefined ? undefined : 0}
      aria-label={`Recording level ${level}${reason === undefined ? '' : `: ${reason}`}`}
    >
      {level}
    </Badge>
  );
  return reason === undefined ? badge : <Tooltip label={`${level}: ${reason}`}>{badge}</Tooltip>;
}
