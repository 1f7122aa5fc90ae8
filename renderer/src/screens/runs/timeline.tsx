/** The steps of a run, each with a bar that says when it was and how long it took. */
import { Group, Text, UnstyledButton } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconPlayerPlay } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Shapes } from '../../api/api.ts';
import { formatDuration } from '../../ui/format.ts';
import styles from './timeline.module.css';

type Step = Shapes['RunDetail']['steps'][number];
type StepState = 'succeeded' | 'failed' | 'running' | 'open';

const STATES: Record<StepState, { label: string; icon: typeof IconCircleCheck; color: string }> = {
  succeeded: { label: 'Succeeded', icon: IconCircleCheck, color: 'var(--mantine-color-teal-6)' },
  failed: { label: 'Failed', icon: IconCircleX, color: 'var(--mantine-color-red-6)' },
  running: { label: 'Running', icon: IconPlayerPlay, color: 'var(--mantine-color-blue-6)' },
  open: { label: 'Not finished', icon: IconCircleX, color: 'var(--mantine-color-orange-6)' },
};

export function Timeline({
  steps,
  isOver,
  chosen,
  onChoose,
}: {
  steps: readonly Step[];
  /** The run has ended: a step without an end was cut off. */
  isOver: boolean;
  chosen: number | null;
  onChoose: (number: number) => void;
}): ReactNode {
  const begin = Date.parse(steps[0]?.started_at ?? '');
  const end = Math.max(...steps.map(({ started_at, ended_at }) => Date.parse(ended_at ?? started_at)));
  const whole = Math.max(1, end - begin);
  return (
    <ol className={styles['list']} aria-label="Steps">
      {steps.map((step) => {
        const state = stateOf(step, isOver);
        const { label, icon: Icon, color } = STATES[state];
        const lasted = step.duration_ms ?? Math.max(0, end - Date.parse(step.started_at));
        const left = ((Date.parse(step.started_at) - begin) / whole) * 100;
        return (
          <li key={step.number}>
            <UnstyledButton
              className={styles['step']}
              aria-current={step.number === chosen ? 'step' : undefined}
              onClick={() => onChoose(step.number)}
            >
              <Group gap={8} wrap="nowrap" justify="space-between">
                <Group gap={8} wrap="nowrap" miw={0}>
                  <Icon size={16} color={color} aria-label={label} style={{ flex: 'none' }} />
                  <Text size="sm" fw={500} truncate>
                    {step.number}. {step.name}
                  </Text>
                </Group>
                <Text size="xs" c="dimmed" className="numbers" style={{ flex: 'none' }}>
                  {step.duration_ms === null ? '…' : formatDuration(step.duration_ms)}
                </Text>
              </Group>
              <div className={styles['track']} aria-hidden>
                <div
                  className={styles['bar']}
                  data-state={state}
                  style={{
                    left: `${Math.min(left, 99)}%`,
                    width: `${Math.min((lasted / whole) * 100, 100 - left)}%`,
                  }}
                />
              </div>
              {step.error && (
                <Text size="xs" mt={4} className="breakable">
                  {step.error.message}
                </Text>
              )}
            </UnstyledButton>
          </li>
        );
      })}
    </ol>
  );
}

function stateOf({ state, success }: Step, isOver: boolean): StepState {
  if (state === 'done') return success === false ? 'failed' : 'succeeded';
  return isOver ? 'open' : 'running';
}
