/** Says that changes wait for a restart, and offers it. */
import { Alert, Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useApi } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { useRestart } from '../../ui/use-restart.ts';
import { nameOf } from './names.ts';
import type { Setting } from './use-settings.ts';

export function RestartBanner({ settings }: { settings: readonly Setting[] }): ReactNode {
  const { query } = useApi();
  const { data: agent } = query.useQuery('get', '/api/v1/agent');
  const restart = useRestart();
  const names = settings.filter((setting) => setting.pending_restart).map(({ key }) => nameOf(key));
  if (names.length === 0) return null;
  const isBusy = (agent?.tasks.length ?? 0) > 0;
  return (
    <Alert
      color="yellow"
      icon={<IconRefresh aria-hidden />}
      title={
        names.length === 1 ? 'One change waits for a restart' : `${names.length} changes wait for a restart`
      }
      mb="md"
      role="status"
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 240px">
          {names.join(', ')}.{' '}
          {restart.isPending
            ? 'The agent finishes what is at hand and starts again. This can take a minute; the page goes on by itself.'
            : isBusy
              ? 'The agent is at work: it would finish that first.'
              : 'It takes a few seconds, up to a minute.'}
        </Text>
        <Button
          size="xs"
          loading={restart.isPending}
          onClick={() =>
            restart.mutate(undefined, {
              onSuccess: () =>
                notifications.show({
                  color: 'green',
                  message: 'The agent has started again with the new settings.',
                }),
            })
          }
        >
          {isBusy ? 'Restart when idle' : 'Restart now'}
        </Button>
      </Group>
      <ErrorNotice title="It was not started again" error={restart.error} />
    </Alert>
  );
}
