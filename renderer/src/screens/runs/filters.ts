/** What the list of runs is narrowed to, as it stands in the address: `#/runs?q=invoices&show=failed`. */
import type { paths } from '../../../../agent/client/client.ts';

export type RunFilter = Pick<
  NonNullable<paths['/api/v1/runs']['get']['parameters']['query']>,
  'q' | 'state' | 'level' | 'profile' | 'script_name' | 'from'
>;

/** Which runs, in the words of a person, with the states that are meant. */
export const SHOWN_STATES = [
  { value: 'open', label: 'At work or waiting', states: 'queued,waiting,running' },
  { value: 'succeeded', label: 'Succeeded', states: 'succeeded' },
  { value: 'failed', label: 'Failed or lost', states: 'failed,lost' },
  { value: 'cancelled', label: 'Cancelled', states: 'cancelled' },
] as const;

/** Since when, in days; 0 is today. */
export const SHOWN_TIMES = [
  { value: '0', label: 'Today' },
  { value: '6', label: 'Last 7 days' },
  { value: '29', label: 'Last 30 days' },
] as const;

/** The names of the address that narrow the list. */
export const FILTER_NAMES = ['q', 'show', 'level', 'profile', 'script', 'days'] as const;

export function filterOf(query: URLSearchParams): RunFilter {
  const text = (name: string): string | undefined => query.get(name)?.trim() || undefined;
  const states = SHOWN_STATES.find(({ value }) => value === query.get('show'))?.states;
  const days = SHOWN_TIMES.find(({ value }) => value === query.get('days'))?.value;
  return clean({
    q: text('q'),
    state: states,
    level: text('level'),
    profile: text('profile'),
    script_name: text('script'),
    from: days === undefined ? undefined : midnight(Number(days)).toISOString(),
  });
}

/** The day's begin, where the person is: the same all day long, and so is what is asked for. */
function midnight(daysAgo: number): Date {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - daysAgo);
  return day;
}

function clean(filter: { [Name in keyof RunFilter]: RunFilter[Name] | undefined }): RunFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as RunFilter;
}
