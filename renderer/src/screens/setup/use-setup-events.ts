/** What setup does, as it does it. */
import { useState } from 'react';
import { useAgentEvents } from '../../api/events.ts';
import type { CheckResult } from '../../ui/check-list.tsx';

/** @param type of the events; @returns what came since `clear` was called */
export function useLiveResults(type: 'setup.step' | 'setup.check'): {
  live: readonly CheckResult[];
  clear: () => void;
} {
  const [live, setLive] = useState<readonly CheckResult[]>([]);
  useAgentEvents((event) => {
    if (event.type !== type) return;
    const result = event.data['payload'] as CheckResult;
    setLive((before) => [...before.filter(({ title }) => title !== result.title), result]);
  });
  return { live, clear: () => setLive([]) };
}
