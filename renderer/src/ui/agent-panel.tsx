/** How the agent is, in a few words, on every screen; and the one switch that a person needs everywhere. */
import { Button, ColorSwatch, Group, Paper, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf } from '../../../agent/client/client.ts';
import { useApi } from '../api/api.ts';
import { wordsOf } from './error-notice.tsx';

/** What each state of the worker means for a person. */
const STATES: Record<string, { label: string; color: string }> = {
  starting: { label: 'Starting', color: 'blue' },
  working: { label: 'Ready for tasks', color: 'green' },
  paused: { label: 'Paused: takes no tasks', color: 'yellow' },
  draining: { label: 'Finishing its work', color: 'blue' },
  stopping: { label: 'Stopping', color: 'blue' },
  stopped: { label: 'Stopped', color: 'gray' },
  failed: { label: 'Cannot get tasks', color: 'red' },
  none: { label: 'Not set up for tasks', color: 'gray' },
};

function agentStateOf(state: string): { label: string; color: string } {
  return STATES[state] ?? { label: state, color: 'gray' };
}

export function AgentPanel(): ReactNode {
  const { client, query } = useApi();
  const { data } = query.useQuery('get', '/api/v1/agent');
  const toggle = useMutation({
    mutationFn: (verb: 'pause' | 'resume') => answerOf(client.POST(`/api/v1/agent/${verb}`)),
    onError: (thrown) => notifications.show({ color: 'red', message: wordsOf(thrown) }),
  });
  if (!data) return null;
  const { label, color } = data.activity_arn === null ? agentStateOf('none') : agentStateOf(data.state);
  const active = data.tasks.length;
  return (
    <Paper withBorder p="xs" component="section" aria-label="The agent">
      <Stack gap={6}>
        <Group gap="xs" wrap="nowrap" px={4}>
          <ColorSwatch
            color={`var(--mantine-color-${color}-6)`}
            size={9}
            withShadow={false}
            aria-hidden
            style={{ flexShrink: 0 }}
          />
          <Text size="sm" fw={500} lh={1.3}>
            {active > 0 ? `${active === 1 ? 'One task' : `${active} tasks`} at work` : label}
          </Text>
        </Group>
        {data.activity_arn !== null && (data.state === 'working' || data.state === 'paused') && (
          <Button
            size="xs"
            variant="default"
            loading={toggle.isPending}
            leftSection={
              data.state === 'paused' ? (
                <IconPlayerPlay size={14} aria-hidden />
              ) : (
                <IconPlayerPause size={14} aria-hidden />
              )
            }
            onClick={() => toggle.mutate(data.state === 'paused' ? 'resume' : 'pause')}
          >
            {data.state === 'paused' ? 'Take tasks again' : 'Pause tasks'}
          </Button>
        )}
      </Stack>
    </Paper>
  );
}
