/** A run as it happens: the agent's own page for it, which has the picture, and the buttons to act. */
import { Box, useComputedColorScheme } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { answerOf } from '../../../agent/client/client.ts';
import { useApi } from '../api/api.ts';
import { ErrorNotice } from './error-notice.tsx';

export function LiveView({
  runId,
  height = 420,
  mode = 'operator',
}: {
  runId: string;
  height?: number | string;
  /** `viewer`: without the buttons to act. */
  mode?: 'viewer' | 'operator';
}): ReactNode {
  const { client, url } = useApi();
  const scheme = useComputedColorScheme('light');
  const [address, setAddress] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isOver = false;
    setAddress(null);
    setError(null);
    answerOf(
      client.POST('/api/v1/runs/{run_id}/live-tickets', {
        params: { path: { run_id: runId } },
        body: { role: mode },
      }),
    ).then(
      ({ path }) => {
        if (!isOver) setAddress(`${url}${path}&embed=1`);
      },
      (thrown: unknown) => {
        if (!isOver) setError(thrown);
      },
    );
    return () => {
      isOver = true;
    };
  }, [client, url, runId, mode, attempt]);
  if (error !== null) {
    return (
      <ErrorNotice
        title="The live view cannot be opened"
        error={error}
        onRetry={() => setAttempt((count) => count + 1)}
      />
    );
  }
  return (
    <Box
      h={height}
      bg={scheme === 'dark' ? 'dark.8' : 'gray.1'}
      style={{ borderRadius: 'var(--mantine-radius-md)', overflow: 'hidden' }}
    >
      {address !== null && (
        <iframe
          // A ticket is good once: another look of the page needs another.
          key={address}
          src={`${address}&theme=${scheme}`}
          title="Live view of the run"
          allow="clipboard-read; clipboard-write; fullscreen"
          style={{ width: '100%', height: '100%', border: 0, display: 'block' }}
        />
      )}
    </Box>
  );
}
