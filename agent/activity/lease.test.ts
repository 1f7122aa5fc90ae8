import { expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { silentLogger } from '../base/log.ts';
import { LeaseLost } from '../runs/types.ts';
import { Lease } from './lease.ts';

const HEARTBEAT_MS = 20_000;

/** A service whose answers a test holds in its hand. */
function setUp(unverified = false) {
  const clock = new ManualClock();
  const calls: { answer: () => void; refuse: (name: string) => void; atMs: number }[] = [];
  const accepted: number[] = [];
  const losses: LeaseLost[] = [];
  const lease = new Lease({
    token: 'token',
    unverified,
    heartbeatMs: HEARTBEAT_MS,
    service: {
      sendTaskHeartbeat: () => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        calls.push({
          atMs: clock.monotonic(),
          answer: resolve,
          refuse: (name) => reject(Object.assign(new Error('for the test'), { name })),
        });
        return promise;
      },
    },
    clock,
    random: () => 0.5,
    log: silentLogger,
    onAccepted: () => accepted.push(clock.now()),
    onLost: (loss) => losses.push(loss),
  });
  lease.start();
  return { clock, calls, accepted, losses, lease };
}

test('heartbeats go out on the interval and stop with the release', async () => {
  const { clock, calls, accepted, lease } = setUp();
  const t0 = clock.monotonic();
  for (let beat = 0; beat < 3; beat += 1) {
    await clock.advance(0);
    calls[beat]?.answer();
    await clock.advance(HEARTBEAT_MS);
  }
  expect(calls.map(({ atMs }) => atMs - t0)).toEqual([0, 20_000, 40_000, 60_000]);
  expect(accepted).toHaveLength(3);
  calls[3]?.answer();
  await lease.release();
  await clock.advance(10 * HEARTBEAT_MS);
  expect(calls).toHaveLength(4);
  expect(clock.pendingMs).toEqual([]);
});

test('a rejected heartbeat is a loss at once, and the last thing the lease does', async () => {
  const { clock, calls, losses, lease } = setUp();
  await clock.advance(0);
  calls[0]?.refuse('TaskTimedOut');
  await clock.advance(0);
  expect(losses.map(({ message }) => message)).toEqual(['TaskTimedOut: for the test']);
  await expect(lease.verified()).rejects.toBeInstanceOf(LeaseLost);
  await clock.advance(10 * HEARTBEAT_MS);
  expect(calls).toHaveLength(1);
});

test('while the service cannot be reached the lease is kept for the lease time, no longer', async () => {
  const { clock, calls, losses } = setUp();
  await clock.advance(0);
  calls[0]?.answer();
  for (let second = 0; second < 59; second += 1) {
    await clock.advance(1_000);
    calls.at(-1)?.refuse('TimeoutError');
  }
  expect(losses).toHaveLength(0);
  await clock.advance(1_000);
  expect(losses[0]?.message).toContain('no heartbeat was accepted for 60 s');
});

test('after the machine slept, the next step waits for an accepted heartbeat', async () => {
  const { clock, calls, lease } = setUp();
  await clock.advance(0);
  calls[0]?.answer();
  await clock.advance(1_000);
  await lease.verified(); // nothing in doubt
  clock.jump(3_600_000);
  let mayAct = false;
  const waiting = lease.verified().then(() => (mayAct = true));
  expect(calls).toHaveLength(2);
  await clock.advance(0);
  expect(mayAct).toBe(false);
  calls[1]?.answer();
  await waiting;
});

test('a lease that was given away while the machine slept lets no further step act', async () => {
  const { clock, calls, lease } = setUp();
  await clock.advance(0);
  calls[0]?.answer();
  await clock.advance(1_000);
  clock.jump(3_600_000);
  const next = lease.verified();
  calls[1]?.refuse('TaskTimedOut');
  await expect(next).rejects.toBeInstanceOf(LeaseLost);
});

test('the background watch notices a sleep within a second, also when no step asks', async () => {
  const { clock, calls } = setUp();
  await clock.advance(0);
  calls[0]?.answer();
  await clock.advance(2_000);
  clock.jump(3_600_000);
  await clock.advance(1_000);
  expect(calls).toHaveLength(2);
});
