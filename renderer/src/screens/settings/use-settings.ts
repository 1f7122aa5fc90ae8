/** All settings, and changing them. */
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { formatFullTime } from '../../ui/format.ts';
import { nameOf } from './names.ts';

export type Setting = Shapes['Setting'];
type Changes = Record<string, unknown>;

export function useSettings(): { items: readonly Setting[] | undefined; error: unknown; retry: () => void } {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/settings');
  return { items: data?.items, error, retry: () => void refetch() };
}

/** New values by key; null: back to the default. */
export function useChangeSettings(): UseMutationResult<
  { items: Shapes['ChangedSetting'][] },
  Error,
  Changes
> {
  const { client } = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (changes: Changes) => answerOf(client.PATCH('/api/v1/settings', { body: changes })),
    onSuccess: ({ items }) => {
      for (const { key, applies, pending_restart } of items) {
        notifications.show({
          color: 'green',
          title: `${nameOf(key)}: saved`,
          message: counts(applies, pending_restart),
        });
      }
    },
    onSettled: async () =>
      queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) =>
          typeof path === 'string' && /^\/api\/v1\/(settings|recording|setup)/.test(path),
      }),
  });
}

function counts(applies: Setting['applies'], isPending: boolean): string {
  if (applies === 'now') return 'It counts from now on.';
  if (applies === 'next run') return 'It counts for runs that start from now on.';
  return isPending
    ? 'It counts when the agent has started again.'
    : 'It is what the agent works with already.';
}

export interface Provenance {
  words: string;
  /** What is set on this page has no effect while that is there. */
  isStronger: boolean;
  /** Set on this page, by hand in the file or with the command line. */
  isOwn: boolean;
}

/** Where a value comes from, in words. */
export function provenanceOf({ source }: Pick<Setting, 'source'>): Provenance {
  const weaker = { isStronger: false, isOwn: false };
  if (source === 'default') return { words: 'The default', ...weaker };
  const line = /^settings\.yaml:(?<line>\d+)$/.exec(source)?.groups?.['line'];
  if (line !== undefined) {
    return { words: `Set here (settings.yaml, line ${line})`, isStronger: false, isOwn: true };
  }
  const variable = /^environment (?<name>\S+)/.exec(source)?.groups?.['name'];
  if (variable !== undefined) {
    return {
      words: `Set by the environment variable ${variable}, which is stronger than this page. To choose it here, remove that variable and start the agent again.`,
      isStronger: true,
      isOwn: false,
    };
  }
  if (source.startsWith('command line')) {
    return {
      words:
        'Set on the command line that started the agent, which is stronger than this page until it is started without.',
      isStronger: true,
      isOwn: false,
    };
  }
  if (source.startsWith('the built-in sandbox')) {
    return {
      words: 'Decided by the sandbox, for as long as the agent works without AWS.',
      isStronger: true,
      isOwn: false,
    };
  }
  const fetched = /^(?<from>.*), fetched (?<time>\S+)$/.exec(source)?.groups;
  if (fetched) {
    return {
      words: `Fetched from AWS ${formatFullTime(fetched['time'] ?? '')} (${fetched['from'] ?? ''})`,
      ...weaker,
    };
  }
  return { words: source, ...weaker };
}
