/** An answer that stays good for a while, and that nobody asks for twice at a time. */
import type { Clock } from './clock.ts';

/** @returns what `ask` answered, asked again when that is older than `freshMs`; a failure is never kept */
export function kept<T>(ask: () => Promise<T>, freshMs: number, clock: Clock): () => Promise<T> {
  let last: { answer: Promise<T>; until: number } | undefined;
  return async () => {
    if (last && clock.monotonic() < last.until) return last.answer;
    const mine = { answer: ask(), until: clock.monotonic() + freshMs };
    last = mine;
    try {
      return await mine.answer;
    } catch (thrown) {
      if (last === mine) last = undefined;
      throw thrown;
    }
  };
}
