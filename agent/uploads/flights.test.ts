import { expect, test } from 'vitest';
import { SMALL_MAX_BYTES, type UploadRow } from '../store/uploads.ts';
import { Flights } from './flights.ts';

let nextId = 0;

function fly(
  flights: Flights,
  size_bytes: number,
): { land: () => void; ended: Promise<void>; signal: AbortSignal } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let given: AbortSignal | undefined;
  nextId += 1;
  const ended = flights.begin({ upload_id: nextId, run_id: 'r1', size_bytes } as UploadRow, (signal) => {
    given = signal;
    signal.addEventListener('abort', () => resolve());
    return promise;
  });
  return { land: resolve, ended, signal: given! };
}

test('small and large uploads have places of their own', () => {
  const flights = new Flights({ small: 4, large: 1 });
  fly(flights, SMALL_MAX_BYTES + 1);
  expect(flights.free()).toEqual({ small: 4, large: 0 });
  for (let n = 0; n < 4; n += 1) fly(flights, 10);
  expect(flights.free()).toEqual({ small: 0, large: 0 });
});

test('with many on their way, several must land before the queue is looked at again', async () => {
  const flights = new Flights({ small: 24, large: 3 });
  for (let n = 0; n < 24; n += 1) flights.window.arrived(1);
  const flying = Array.from({ length: 24 }, () => fly(flights, 10));
  for (const { land } of flying.slice(0, 3)) land();
  await Promise.all(flying.slice(0, 3).map(({ ended }) => ended));
  expect(flights.free()).toEqual({ small: 0, large: 0 });
  flying[3]!.land();
  await flying[3]!.ended;
  expect(flights.free()).toEqual({ small: 4, large: 3 });
});

test('those that are aborted land', async () => {
  const flights = new Flights();
  const { signal } = fly(flights, 1);
  expect(flights.hasRun('r1')).toBe(true);
  const landed = flights.landed();
  flights.abortAll(new Error('the agent stops'));
  await landed;
  expect(signal.reason).toEqual(new Error('the agent stops'));
  expect([flights.size, flights.hasRun('r1')]).toEqual([0, false]);
});
