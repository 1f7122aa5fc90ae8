/** How a run's evidence is on its way to S3: while it is, and where it got stuck. */
import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { wordsOf } from '../../ui/error-notice.tsx';
import { formatBytes } from '../../ui/format.ts';

type Detail = Pick<Shapes['RunDetail'], 'run_id' | 'uploads'>;

export function UploadProgress({ run: { uploads } }: { run: Detail }): ReactNode {
  const { files, done, bytes, sent_bytes } = uploads;
  if (files === 0) return null;
  if (done === files) {
    return (
      <Text size="sm">
        {files === 1 ? 'One file' : `${files} files`} in S3, {formatBytes(bytes)}
      </Text>
    );
  }
  return (
    <Group gap="xs">
      <Progress w={140} value={bytes === 0 ? 0 : (sent_bytes / bytes) * 100} aria-label="Uploads to S3" />
      <Text size="sm">
        {done} of {files} files in S3, {formatBytes(sent_bytes)} of {formatBytes(bytes)}
      </Text>
    </Group>
  );
}

/** Nothing where all goes well. */
export function UploadProblem({ run: { run_id, uploads } }: { run: Detail }): ReactNode {
  const { client } = useApi();
  const queries = useQueryClient();
  const retry = useMutation({
    mutationFn: async () => answerOf(client.POST('/api/v1/uploads/retry', { body: { run_id } })),
    onError: (thrown) => notifications.show({ color: 'red', message: wordsOf(thrown) }),
    onSettled: async () => queries.invalidateQueries(),
  });
  const { failed, waiting, last_error } = uploads;
  if (last_error === null) return null;
  const [color, title] =
    failed > 0
      ? ['red', `${failed === 1 ? 'One file' : `${failed} files`} could not be uploaded`]
      : ['yellow', `${waiting === 1 ? 'One file waits' : `${waiting} files wait`} to be uploaded`];
  return (
    <Alert color={color} title={title}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm" className="breakable">
          {last_error}
        </Text>
        <Text size="sm">
          {failed > 0
            ? 'The agent does not try again by itself. When the cause is mended, have it try.'
            : 'Nothing is lost: it is kept on this computer, and the agent tries again by itself.'}
        </Text>
        <Button size="xs" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
          Try again now
        </Button>
      </Stack>
    </Alert>
  );
}
