import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import type { Actor } from '../base/actor.ts';
import type { AgentError } from '../base/errors.ts';
import { PauseGate, type PauseState } from './pause-gate.ts';

const MAX_MS = 60_000;
const key: Actor = { kind: 'key', id: 'k1', from: 'here' };
const owner: Actor = { kind: 'owner', id: 'owner', from: 'here' };

interface Set {
  gate: PauseGate;
  clock: ManualClock;
  seen: (PauseState | null)[];
  errors: AgentError[];
}

function make(): Set {
  const clock = new ManualClock();
  const seen: (PauseState | null)[] = [];
  const errors: AgentError[] = [];
  const gate = new PauseGate({
    clock,
    maxHeldMs: MAX_MS,
    onChange: (state) => seen.push(state),
    onTooLong: (error) => errors.push(error),
  });
  return { gate, clock, seen, errors };
}

/** Notes when the promise is done. */
function watch(promise: Promise<unknown>): { done: boolean; thrown: unknown } {
  const state = { done: false, thrown: undefined as unknown };
  promise.then(
    () => (state.done = true),
    (thrown: unknown) => Object.assign(state, { done: true, thrown }),
  );
  return state;
}

const never = new AbortController().signal;

describe('holding a run', () => {
  test('it goes on when the last of several holders lets go', async () => {
    const { gate, clock, seen } = make();
    const one = gate.hold(owner, 'looks', 'takeover')!;
    const two = gate.hold(key, 'types', 'takeover')!;
    const passing = watch(gate.pass(never));
    await clock.advance(10);
    one.release();
    one.release();
    await clock.advance(10);
    expect(passing.done).toBe(false);
    expect(gate.state).toMatchObject({ by: key, kind: 'takeover', isStanding: true });
    two.release();
    await clock.advance(0);
    expect(passing).toEqual({ done: true, thrown: undefined });
    expect(gate.isHeld).toBe(false);
    expect(seen.map((state) => state?.isStanding ?? null)).toEqual([false, true, null]);
    await one.over;
  });

  test('whoever holds it is told when it stands still, also when it rests in a wait for a person', async () => {
    const { gate, clock } = make();
    const first = watch(gate.hold(owner, 'looks')!.standing);
    await clock.advance(10);
    expect(first.done).toBe(false);
    void gate.pass(never);
    await clock.advance(0);
    expect(first.done).toBe(true);
    const other = make();
    void other.gate.resting(() => new Promise(() => undefined));
    await other.gate.hold(owner, 'looks')!.standing;
    expect(other.gate.state?.isStanding).toBe(true);
  });

  test('what was is told once: who, and from when to when', async () => {
    const { gate, clock } = make();
    const from = clock.now();
    const hold = gate.hold(owner, 'types')!;
    await clock.advance(500);
    expect(gate.takeFacts()).toEqual([]);
    hold.release();
    expect(gate.takeFacts()).toEqual([
      { kind: 'takeover', by: owner, reason: 'types', from, to: from + 500 },
    ]);
    expect(gate.takeFacts()).toEqual([]);
  });

  test('its time stands still while it is held, and a sleeper sleeps as much longer', async () => {
    const { gate, clock } = make();
    const start = gate.clock.monotonic();
    const sleeping = watch(gate.clock.sleep(1_000));
    await clock.advance(400);
    gate.pause(owner);
    await clock.advance(5_000);
    expect(sleeping.done).toBe(false);
    expect(gate.clock.monotonic() - start).toBe(400);
    gate.resume();
    await clock.advance(599);
    expect(sleeping.done).toBe(false);
    gate.pause(owner);
    await clock.advance(3_000);
    gate.resume();
    await clock.advance(1);
    expect(sleeping.done).toBe(true);
    expect(gate.clock.monotonic() - start).toBe(1_000);
    expect(gate.heldMs).toBe(8_000);
  });

  test('a sleeper that is aborted wakes at once, held or not', async () => {
    const { gate, clock } = make();
    const abort = new AbortController();
    const sleeping = watch(gate.clock.sleep(1_000, abort.signal));
    gate.pause(owner);
    await clock.advance(2_000);
    abort.abort(new Error('enough'));
    await clock.advance(0);
    expect(sleeping.thrown).toEqual(new Error('enough'));
  });

  test('held for too long, the run is ended with an error that says who held it', async () => {
    const { gate, clock, errors } = make();
    gate.pause(key, 'paused by tool');
    await clock.advance(MAX_MS - 1);
    gate.resume();
    gate.pause(key, 'paused by tool');
    await clock.advance(MAX_MS - 1);
    expect(errors).toEqual([]);
    await clock.advance(1);
    expect(errors.map(({ errorName, message }) => `${errorName} ${message}`)).toEqual([
      expect.stringMatching(/HumanTimeout .*60 s \(paused by tool, by key k1\).*run\.max_pause_seconds/),
    ]);
  });

  test('a cancelled run does not wait, and nobody holds one that has ended', async () => {
    const { gate, clock } = make();
    const hold = gate.hold(owner, 'looks')!;
    const abort = new AbortController();
    const passing = watch(gate.pass(abort.signal));
    await clock.advance(0);
    abort.abort(new Error('cancelled'));
    gate.close();
    await clock.advance(0);
    expect(passing.thrown).toEqual(new Error('cancelled'));
    await hold.over;
    expect(gate.hold(owner, 'looks')).toBeNull();
    expect(gate.pause(owner)).toBe(false);
    expect(clock.pendingMs).toEqual([]);
  });
});

describe('pause, step, resume', () => {
  test('pausing twice is pausing once; resuming needs a pause', () => {
    const { gate } = make();
    expect(gate.resume()).toBe(false);
    expect(gate.step()).toBe('not paused');
    expect(gate.pause(owner)).toBe(true);
    expect(gate.pause(key)).toBe(false);
    expect(gate.state?.by).toBe(owner);
    expect(gate.resume()).toBe(true);
    expect(gate.isHeld).toBe(false);
  });

  test('a step lets one step through with all its attempts, and no other, however many wait', async () => {
    const { gate, clock } = make();
    gate.pause(owner);
    const both = [watch(gate.pass(never)), watch(gate.pass(never))];
    await clock.advance(0);
    expect(gate.step()).toBe('stepping');
    await clock.advance(0);
    expect(both.map(({ done }) => done)).toEqual([true, false]);
    const attempt = watch(gate.passInside(never));
    await clock.advance(0);
    expect(attempt.done).toBe(true);
    const next = watch(gate.pass(never));
    await clock.advance(0);
    expect(next.done).toBe(false);
    gate.resume();
    await clock.advance(0);
    expect([both[1]?.done, next.done]).toEqual([true, true]);
  });

  test('nobody steps under the hands of a person who has taken over, and resuming leaves them the run', async () => {
    const { gate, clock } = make();
    gate.pause(key);
    const takeover = gate.hold(owner, 'types')!;
    const passing = watch(gate.pass(never));
    expect(gate.step()).toBe('taken over');
    expect(gate.resume()).toBe(true);
    await clock.advance(0);
    expect(passing.done).toBe(false);
    takeover.release();
    await clock.advance(0);
    expect(passing.done).toBe(true);
  });
});

describe('a run that looks at its page and waits', () => {
  test('is held at once, and looks again when it is let go, whatever came of it meanwhile', async () => {
    const { gate, clock, seen } = make();
    const looks = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let count = 0;
    const looking = gate.looking(() => looks[count++]!.promise, true, never);
    const state = watch(looking);
    const hold = gate.hold(owner, 'types')!;
    await hold.standing;
    expect(gate.state?.isStanding).toBe(true);
    looks[0]!.reject(new Error('timed out under their hands'));
    await clock.advance(10);
    expect([state.done, count]).toEqual([false, 1]);
    hold.release();
    await clock.advance(0);
    expect(count).toBe(2);
    looks[1]!.resolve('there');
    expect(await looking).toBe('there');
    expect(seen.map((one) => one?.isStanding ?? null)).toEqual([true, null]);
  });

  test('does not look again when it only let time pass, or nobody held it', async () => {
    const { gate, clock } = make();
    let count = 0;
    const over = Promise.withResolvers<void>();
    const passing = watch(gate.looking(() => ((count += 1), over.promise), false, never));
    const hold = gate.hold(owner, 'types')!;
    over.resolve();
    await clock.advance(0);
    expect(passing.done).toBe(false);
    hold.release();
    await clock.advance(0);
    expect([passing.done, count]).toEqual([true, 1]);
    await expect(gate.looking(() => Promise.reject(new Error('not there')), true, never)).rejects.toThrow(
      'not there',
    );
  });

  test('ends with the run', async () => {
    const { gate, clock } = make();
    const abort = new AbortController();
    const looking = watch(gate.looking(() => Promise.reject(new Error('stopped')), true, abort.signal));
    gate.hold(owner, 'types');
    await clock.advance(0);
    abort.abort(new Error('cancelled'));
    gate.close();
    await clock.advance(0);
    expect(looking.thrown).toEqual(new Error('cancelled'));
  });
});
