/** What cannot go on without a person, most urgent first, each with the way to it. */
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { wordsOf } from '../../ui/error-notice.tsx';

type Need = Shapes['Need'];

const PLACES: Record<Exclude<Need['go_to'], 'uploads' | 'home'>, (id: string | null) => [string, string]> = {
  setup: () => ['/setup', 'Set up'],
  run: (id) => [`/runs/${id ?? ''}`, 'Open the run'],
  profile: (id) => [`/profiles/${encodeURIComponent(id ?? '')}`, 'Open the profile'],
  settings: () => ['/settings', 'Open the settings'],
  log: () => ['/log', 'Open the log'],
};

export function Needs({ needs }: { needs: readonly Need[] }): ReactNode {
  if (needs.length === 0) return null;
  return (
    <Stack gap="xs" component="section" aria-label="Needs you">
      {needs.map((need) => (
        <Alert
          key={`${need.kind} ${need.id ?? need.title}`}
          color="yellow"
          icon={<IconAlertTriangle aria-hidden />}
          title={need.title}
        >
          <Group justify="space-between" align="flex-end" gap="sm">
            <Text size="sm" className="breakable" style={{ flex: '1 1 240px' }}>
              {need.detail}
            </Text>
            <Way need={need} />
          </Group>
        </Alert>
      ))}
    </Stack>
  );
}

function Way({ need: { go_to: to, id } }: { need: Need }): ReactNode {
  if (to === 'home') return null;
  if (to === 'uploads') return <RetryUploads />;
  const [href, label] = PLACES[to](id);
  return (
    <Button component={Link} href={href} size="xs" variant="default">
      {label}
    </Button>
  );
}

function RetryUploads(): ReactNode {
  const { client } = useApi();
  const queries = useQueryClient();
  const retry = useMutation({
    mutationFn: async () => answerOf<{ due: number }>(client.POST('/api/v1/uploads/retry', { body: {} })),
    onError: (thrown) => notifications.show({ color: 'red', message: wordsOf(thrown) }),
    onSettled: async () => queries.invalidateQueries(),
  });
  return (
    <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
      Try the uploads again
    </Button>
  );
}
