/** Stores and removes scripts; asks first where somebody else has changed what is stored. */
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { answerOf } from '../../../../agent/client/client.ts';
import { ApiProblem } from '../../../../agent/client/problem.ts';
import { useApi } from '../../api/api.ts';
import { askWords } from './ask.tsx';
import { isSameJson } from './format-json.ts';

export interface Saving {
  reference: string;
  text: string;
  /** Another name than the one that it was opened by. */
  isOther: boolean;
}

export function useStoring({
  base,
  onSaved,
  onRemoved,
}: {
  /** The stored text that the changes were begun from. */
  base: string;
  onSaved: (reference: string, text: string) => void;
  onRemoved: () => void;
}): {
  save: UseMutationResult<boolean, Error, Saving>;
  remove: UseMutationResult<unknown, Error, string>;
} {
  const { client } = useApi();
  const queryClient = useQueryClient();
  const path = '/api/v1/scripts/{reference}';
  const refresh = async (): Promise<void> =>
    queryClient.invalidateQueries({
      predicate: ({ queryKey }) => String(queryKey[1]).startsWith('/api/v1/scripts'),
    });
  const save = useMutation({
    mutationFn: async ({ reference, text, isOther }: Saving) => {
      const params = { path: { reference } };
      if (!isOther) {
        const now = await answerOf(client.GET(path, { params })).catch(nullIfGone);
        if (now !== null && !isSameJson(JSON.stringify(now), base)) {
          const isSure = await askWords({
            title: 'The stored script has been changed meanwhile',
            words: 'Somebody saved another text since you opened it. If you save now, yours takes its place.',
            confirm: 'Save mine',
            cancel: 'Not now',
          });
          if (!isSure) return false;
        }
      }
      const script = JSON.parse(text) as Record<string, unknown>;
      await answerOf(client.PUT(path, { params, body: script }));
      return true;
    },
    onSuccess: async (isSaved, { reference, text }) => {
      if (!isSaved) return;
      onSaved(reference, text);
      await refresh();
    },
  });
  const remove = useMutation({
    mutationFn: async (reference: string) =>
      answerOf(client.DELETE(path, { params: { path: { reference } } })),
    onSuccess: async () => {
      onRemoved();
      await refresh();
    },
  });
  return { save, remove };
}

function nullIfGone(thrown: unknown): null {
  if (thrown instanceof ApiProblem && thrown.status === 404) return null;
  throw thrown;
}
