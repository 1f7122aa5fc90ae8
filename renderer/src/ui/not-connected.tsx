import { Button, Loader, Stack, Text, Title } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { bridge, type AgentConnection } from '../bridge.ts';
import { openFolder } from './open-outside.ts';

const TITLES: Record<Exclude<AgentConnection['state'], 'ready'>, string> = {
  starting: 'The agent is starting…',
  restarting: 'The agent stopped and is being started again',
  failed: 'The agent cannot be reached',
  draining: 'The agent is finishing its work',
};

/** In the place of everything that needs an agent to speak to. */
export function NotConnected({ connection }: { connection: AgentConnection }): ReactNode {
  const [isTrying, setIsTrying] = useState(false);
  if (connection.state === 'ready') return null;
  const problem = 'problem' in connection ? connection.problem : null;
  const restart = (): void => {
    setIsTrying(true);
    void bridge?.restartAgent().finally(() => setIsTrying(false));
  };
  return (
    <Stack align="center" maw={520} ta="center" role={problem === null ? 'status' : 'alert'}>
      {connection.state !== 'failed' && <Loader aria-hidden />}
      <Title order={1} size="h3">
        {TITLES[connection.state]}
      </Title>
      {problem !== null && (
        <Text c="dimmed" className="breakable">
          {problem}
        </Text>
      )}
      {connection.state === 'failed' && bridge && (
        <>
          <Button onClick={restart} loading={isTrying}>
            Start the agent again
          </Button>
          <Button variant="subtle" onClick={() => openFolder({ kind: 'logs' })}>
            Open the log folder
          </Button>
        </>
      )}
    </Stack>
  );
}
