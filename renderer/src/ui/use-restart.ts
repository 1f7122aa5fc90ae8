/** Starting the agent anew, and knowing when it is back. */
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { wait } from '../../../agent/base/wait.ts';
import { answerOf } from '../../../agent/client/client.ts';
import { useApi, type Shapes } from '../api/api.ts';

/** It is looked for this often, in milliseconds; a start takes about half a second. */
const LOOK_MS = 300;

/** An open poll of Step Functions is never broken off (60 s), and what is at hand may take long. */
const DEFAULT_PATIENCE_MS = 30 * 60_000;

export interface Restarted {
  status: Shapes['AgentStatus'];
}

/** Starts the agent anew as soon as nothing is at hand; resolves when it is at work again. */
export function useRestart({ patienceMs = DEFAULT_PATIENCE_MS } = {}): UseMutationResult<
  Restarted,
  Error,
  void
> {
  const { client } = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const before = await answerOf(client.GET('/api/v1/agent'));
      await answerOf(client.POST('/api/v1/agent/restart', { body: { when_idle: true } }));
      const deadline = Date.now() + patienceMs;
      while (Date.now() < deadline) {
        await wait(LOOK_MS);
        // While it starts nobody answers.
        const now = await answerOf(client.GET('/api/v1/agent')).catch(() => null);
        if (now && now.started_at !== before.started_at && now.state !== 'starting') return { status: now };
      }
      throw new Error(
        'The agent has not started again yet. It finishes what is at hand first; Home shows what that is.',
      );
    },
    onSettled: async () => queries.invalidateQueries(),
  });
}
