import { expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { ChangeSignal } from './change-signal.ts';

test('changes of one turn of the event loop are one change', async () => {
  const signal = new ChangeSignal(new ManualClock());
  const first = signal.next;
  signal.changed();
  signal.changed();
  await first;
  const second = signal.next;
  expect(second).not.toBe(first);
  signal.changed();
  await second;
});

test('a wait ends with the change, at its time, or when it is aborted, and leaves no timer', async () => {
  const clock = new ManualClock();
  const signal = new ChangeSignal(clock);
  const wait = (stop?: AbortSignal): Promise<void> => signal.wait(signal.next, 1_000, stop);

  const changed = wait();
  signal.changed();
  await changed;

  const timed = wait();
  await clock.advance(1_000);
  await timed;

  const stop = new AbortController();
  const aborted = wait(stop.signal);
  stop.abort();
  await aborted;
  await expect.poll(() => clock.pendingMs).toEqual([]);
});
