/** What happened before this start, where the app ended by force: said once, until it is put away. */
import { Alert } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { bridge } from '../bridge.ts';

/** Put away is put away, also when the agent is started again meanwhile. */
let isPutAway = false;

export function LastLifeNotice(): ReactNode {
  const [words, setWords] = useState<string | null>(null);
  useEffect(() => {
    bridge?.agent().then(
      (agent) => setWords(agent.state === 'ready' && !isPutAway ? (agent.notice ?? null) : null),
      () => setWords(null),
    );
  }, []);
  if (words === null) return null;
  const putAway = (): void => {
    isPutAway = true;
    setWords(null);
  };
  return (
    <Alert
      mb="md"
      color="yellow"
      icon={<IconHistory aria-hidden />}
      title="The app was ended before it had finished"
      withCloseButton
      closeButtonLabel="Put away"
      onClose={putAway}
      role="status"
    >
      {words} <Link href="/runs?show=failed">Show failed runs</Link>
    </Alert>
  );
}
