/** What a person wants to know of a profile, in a few words. */
import type { MantineColor } from '@mantine/core';
import type { Shapes } from '../../api/api.ts';
import { formatAgo } from '../../ui/format.ts';

export type Profile = Shapes['Profile'];

export interface SignedIn {
  label: string;
  color: MantineColor;
  /** More about it; empty when there is no more. */
  detail: string;
}

/** Whether it is signed in, as far as anybody knows. */
export function signedInOf({ checked, signed_in_at }: Profile): SignedIn {
  // What a person did after the last check counts more than that check.
  const isCheckNews =
    checked !== null && (signed_in_at === null || Date.parse(checked.checked_at) >= Date.parse(signed_in_at));
  if (isCheckNews && checked.problem !== null) {
    return {
      label: 'Could not be checked',
      color: 'yellow',
      detail: `${checked.problem} (${formatAgo(checked.checked_at)})`,
    };
  }
  if (isCheckNews) {
    const when = `Checked ${formatAgo(checked.checked_at)}`;
    return checked.signed_in
      ? { label: 'Signed in', color: 'green', detail: `${when}.` }
      : { label: 'Not signed in', color: 'red', detail: `${when}: ended at ${checked.url}` };
  }
  if (signed_in_at !== null) {
    return {
      label: 'Signed in by you',
      color: 'green',
      detail: `You signed in ${formatAgo(signed_in_at)}; nobody has checked since.`,
    };
  }
  return { label: 'Not signed in yet', color: 'gray', detail: '' };
}

/** Who is in the profile right now; null: nobody. */
export function usedByWords({ used_by, waiting }: Profile): string | null {
  const queue =
    waiting === 0 ? '' : waiting === 1 ? ' One run waits for it.' : ` ${waiting} runs wait for it.`;
  switch (used_by?.kind) {
    case 'run':
      return `A run is using it.${queue}`;
    case 'session':
      return `A program keeps a browser open in it.${queue}`;
    case 'sign_in':
      return `A browser of the agent is open in it.${queue}`;
    default:
      return queue === '' ? null : queue.trim();
  }
}
