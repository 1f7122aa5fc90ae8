/** Keys for programs that use the local API. */
import { Badge, Button, Group, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { ErrorNotice, wordsOf } from '../../ui/error-notice.tsx';
import { formatAgo, formatFullTime } from '../../ui/format.ts';
import { NewKey } from './new-key.tsx';
import { Section } from './section.tsx';

type Key = Shapes['ApiKey'];

export function KeysSection(): ReactNode {
  const { client, query } = useApi();
  const queries = useQueryClient();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/keys');
  const [isMaking, { open, close }] = useDisclosure(false);
  const revoke = useMutation({
    mutationFn: async (key: Key) =>
      answerOf(client.DELETE('/api/v1/keys/{key_id}', { params: { path: { key_id: key.key_id } } })),
    onSuccess: ({ name }) =>
      notifications.show({ color: 'green', message: `The key “${name}” is refused from now on.` }),
    onError: (thrown) => notifications.show({ color: 'red', message: wordsOf(thrown) }),
    onSettled: async () => queries.invalidateQueries({ queryKey: ['get', '/api/v1/keys'] }),
  });
  const ask = (key: Key): void => {
    modals.openConfirmModal({
      title: `Revoke the key “${key.name}”?`,
      children: (
        <Text size="sm">
          Programs that use it are refused from that moment on. It cannot be taken back; a new key can be made
          at any time.
        </Text>
      ),
      labels: { confirm: 'Revoke the key', cancel: 'Keep it' },
      confirmProps: { color: 'red' },
      onConfirm: () => revoke.mutate(key),
    });
  };
  const keys = data?.items.filter(({ revoked_at }) => revoked_at === null) ?? [];
  return (
    <Section
      title="API keys"
      description="A key lets a program on this machine see or steer the agent. Give each program its own, with no more rights than it needs."
    >
      {error && (
        <ErrorNotice title="The keys cannot be listed" error={error} onRetry={() => void refetch()} />
      )}
      {data && keys.length === 0 && (
        <Text size="sm" c="dimmed">
          There is no key yet. This window needs none.
        </Text>
      )}
      {keys.length > 0 && (
        <Table.ScrollContainer
          minWidth={480}
          type="native"
          tabIndex={0}
          role="region"
          aria-label="API keys, scrolls"
        >
          <Table aria-label="API keys" verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>May</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th>Expires</Table.Th>
                <Table.Th aria-label="Revoke" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {keys.map((key) => (
                <Table.Tr key={key.key_id}>
                  <Table.Td className="breakable">{key.name}</Table.Td>
                  <Table.Td>
                    <Group gap={4}>
                      {key.scopes.map((scope) => (
                        <Badge key={scope} variant="outline" color="gray" size="sm" tt="none">
                          {scope}
                        </Badge>
                      ))}
                    </Group>
                  </Table.Td>
                  <Table.Td>{key.last_used_at === null ? 'Never' : formatAgo(key.last_used_at)}</Table.Td>
                  <Table.Td>{key.expires_at === null ? 'Never' : formatFullTime(key.expires_at)}</Table.Td>
                  <Table.Td>
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      color="red"
                      aria-label={`Revoke the key ${key.name}`}
                      onClick={() => ask(key)}
                    >
                      Revoke
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Group>
        <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
          Create a key
        </Button>
      </Group>
      <NewKey isOpen={isMaking} onClose={close} />
    </Section>
  );
}
