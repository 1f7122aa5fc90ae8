/** What can be done with profiles; the list is fresh afterwards. */
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { ApiClient } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';

/** A mutation of profiles that makes the list fresh, also where it failed. */
export function useProfileChange<Result, Input = void>(
  change: (client: ApiClient, input: Input) => Promise<Result>,
  onDone?: (result: Result) => void,
): UseMutationResult<Result, Error, Input> {
  const { client } = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (input: Input) => change(client, input),
    onSuccess: (result) => onDone?.(result),
    onSettled: async () =>
      queryClient.invalidateQueries({
        predicate: ({ queryKey }) => String(queryKey[1]).startsWith('/api/v1/profiles'),
      }),
  });
}
