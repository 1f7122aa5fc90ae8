/** Step 4: the browser that runs will use: found, or installed with a progress bar. */
import { Alert, Badge, Button, Group, List, Loader, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { useAgentEvents } from '../../api/events.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PrimaryButton } from './primary-button.tsx';
import { StepFrame } from './step-frame.tsx';

type Install = Shapes['BrowserInstall'];

export function StepBrowser({ onNext, onBack }: { onNext: () => void; onBack: () => void }): ReactNode {
  const { client, query } = useApi();
  const queries = useQueryClient();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/setup/browsers');
  const [told, setTold] = useState<Install | null>(null);
  // Another window may have begun it.
  const progress = told ?? data?.install ?? null;
  useAgentEvents((event) => {
    if (event.type !== 'setup.install') return;
    const now = event.data['payload'] as Install;
    setTold(now);
    if (now.state === 'done') void queries.invalidateQueries({ queryKey: ['get', '/api/v1/setup/browsers'] });
  });
  const install = useMutation({
    mutationFn: async () => {
      setTold({ state: 'running', percent: null, words: 'Beginning…', fix: '' });
      return answerOf(client.POST('/api/v1/setup/browsers/install', { body: { browser: 'chrome' } }));
    },
    onError: () => setTold(null),
  });
  const used = data?.chosen ?? null;
  const isInstalling = progress?.state === 'running';
  return (
    <StepFrame
      title="Browser"
      description="Runs happen in a browser of this machine, with windows or without, beside your own."
      actions={
        <>
          {used === null ? (
            <PrimaryButton
              disabled={data === undefined}
              loading={isInstalling}
              onClick={() => install.mutate()}
            >
              Install a browser
            </PrimaryButton>
          ) : (
            <PrimaryButton onClick={onNext}>Continue</PrimaryButton>
          )}
          {used === null && data && !isInstalling && (
            <>
              <Button variant="default" onClick={() => void refetch()}>
                Look again
              </Button>
              <Button variant="default" onClick={onNext}>
                Continue without
              </Button>
            </>
          )}
          <Button variant="subtle" onClick={onBack}>
            Back
          </Button>
        </>
      }
    >
      {error !== null && (
        <ErrorNotice title="The browsers cannot be listed" error={error} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loader role="status" aria-label="Looking for browsers" />}
      {data && data.items.length > 0 && (
        <List listStyleType="none" spacing="xs" aria-label="Browsers found">
          {data.items.map((browser) => (
            <List.Item key={browser.path}>
              <Group gap="xs">
                <Text size="sm" fw={500}>
                  {browser.name} {browser.version ?? ''}
                </Text>
                {used?.path === browser.path && (
                  <Badge variant="light" tt="none">
                    Will be used
                  </Badge>
                )}
              </Group>
              <Text size="xs" c="dimmed" className="breakable">
                {browser.path}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
      {data && used === null && !isInstalling && progress?.state !== 'failed' && (
        <Text size="sm">
          No browser was found that the agent can use. It can fetch Chrome for itself (about 170 MB); or
          install Google Chrome or Microsoft Edge, and look again.
        </Text>
      )}
      {isInstalling && (
        <Stack gap={4} role="status">
          <Text size="sm">{progress.words}</Text>
          <Progress.Root size="lg">
            <Progress.Section
              value={progress.percent ?? 100}
              animated={progress.percent === null}
              aria-label="Installing the browser"
            />
          </Progress.Root>
        </Stack>
      )}
      {progress?.state === 'failed' && (
        <Alert color="red" title="The browser was not installed" role="alert">
          <Text size="sm" className="breakable">
            {progress.words}
          </Text>
          {progress.fix !== '' && (
            <Text size="sm" className="breakable">
              <b>What to do:</b> {progress.fix}
            </Text>
          )}
        </Alert>
      )}
      <ErrorNotice title="The installation could not begin" error={install.error} />
    </StepFrame>
  );
}
