/** The runs of a list that is as long as all of them, of which those in view are asked for, page by page. */
import { useThrottledValue } from '@mantine/hooks';
import { keepPreviousData, useQueries, useQueryClient } from '@tanstack/react-query';
import { useApi, type Shapes } from '../../api/api.ts';
import type { RunFilter } from './filters.ts';

/** Runs that are asked for at once: about three windows full. */
const PAGE_RUNS = 60;
/** Who drags the bar through the list passes pages that are not worth asking for, in milliseconds. */
const SETTLE_MS = 60;
/** A page that is not in view any more is kept this long, in milliseconds. */
const KEPT_MS = 60_000;

export interface RunPages {
  /** How many match; null until it is known. */
  total: number | null;
  /** Undefined until it has come. */
  runAt(index: number): Shapes['Run'] | undefined;
  error: unknown;
  /** What is shown is that of another filter. */
  isStale: boolean;
  retry(): void;
}

export function useRunTotal(filter: RunFilter): {
  total: number | null;
  error: unknown;
  isStale: boolean;
} {
  const { query } = useApi();
  const count = query.useQuery(
    'get',
    '/api/v1/runs',
    { params: { query: { ...filter, limit: 1, count: 'true' } } },
    { placeholderData: keepPreviousData },
  );
  return { total: count.data?.total ?? null, error: count.error, isStale: count.isPlaceholderData };
}

/** @param range the first and last row in view */
export function useRunPages(
  filter: RunFilter,
  range: { first: number; last: number },
): Pick<RunPages, 'runAt' | 'error' | 'retry'> {
  const { query } = useApi();
  const queries = useQueryClient();
  const first = useThrottledValue(Math.floor(range.first / PAGE_RUNS), SETTLE_MS);
  const last = useThrottledValue(Math.floor(range.last / PAGE_RUNS), SETTLE_MS);
  const numbers = Array.from({ length: Math.max(0, last - first) + 1 }, (_, index) => first + index);
  const options = (page: number) =>
    query.queryOptions(
      'get',
      '/api/v1/runs',
      { params: { query: { ...filter, limit: PAGE_RUNS, offset: page * PAGE_RUNS } } },
      { gcTime: KEPT_MS },
    );
  const answers = useQueries({ queries: numbers.map(options) });
  return {
    runAt: (index) => {
      const page = Math.floor(index / PAGE_RUNS);
      // A page that was in view a moment ago is still there.
      const items =
        answers[page - first]?.data?.items ??
        queries.getQueryData<{ items: Shapes['Run'][] }>(options(page).queryKey)?.items;
      return items?.[index - page * PAGE_RUNS];
    },
    error: answers.find(({ error }) => error !== null)?.error ?? null,
    retry: () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/runs'] }),
  };
}
