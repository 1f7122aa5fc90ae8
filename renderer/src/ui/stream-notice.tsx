import { Alert } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { StreamState } from '../api/events.ts';

/** A connection that comes back within this time is not worth a word, in milliseconds. */
const PATIENCE_MS = 2_500;

/** Says that what is shown may be old. */
export function StreamNotice({ state }: { state: StreamState }): ReactNode {
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    setIsLong(false);
    if (state === 'open') return undefined;
    const timer = setTimeout(() => setIsLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  if (!isLong) return null;
  return (
    <Alert
      mb="md"
      color="yellow"
      icon={<IconPlugConnectedX aria-hidden />}
      title="The agent does not answer"
      role="status"
    >
      It may be starting again. What you see is from before; this page goes on by itself as soon as the agent
      is back.
    </Alert>
  );
}
