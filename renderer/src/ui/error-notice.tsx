import { Alert, Button, Code, List, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiProblem } from '../../../agent/client/problem.ts';

/** What an error says to a person. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Something that did not work: what, where in what was sent, and how to go on. */
export function ErrorNotice({
  error,
  title = 'That did not work',
  onRetry,
}: {
  error: unknown;
  title?: string;
  onRetry?: () => void;
}): ReactNode {
  if (error === null || error === undefined) return null;
  const places = error instanceof ApiProblem ? error.places : [];
  const [words = ''] = wordsOf(error).split('\n');
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm" className="breakable">
          {words}
        </Text>
        {places.length > 0 && (
          <List size="sm">
            {places.map(({ path, message }) => (
              <List.Item key={`${path} ${message}`}>
                <Code>{path}</Code> {message}
              </List.Item>
            ))}
          </List>
        )}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
