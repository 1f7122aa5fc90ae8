import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isVerified,
  newLease,
  nextDueMs,
  reduceLease,
  type HeldLease,
  type Instant,
  type LeaseCommand,
  type LeaseConfig,
  type LeaseEvent,
  type LeaseState,
} from './lease-state.ts';

const config: LeaseConfig = { intervalMs: 20_000, leaseMs: 60_000, verifyMs: 15_000, gapMs: 5_000 };
const start: Instant = { monotonicMs: 0, wallMs: 1_000_000 };

/** Plays events against a lease, with clocks that advance in ticks as the shell's do. */
class Play {
  state: LeaseState;
  now: Instant = start;
  commands: LeaseCommand[] = [];

  constructor(unverified = false) {
    this.state = newLease(start, unverified);
  }

  send(event: LeaseEvent): LeaseCommand[] {
    const { state, commands } = reduceLease(this.state, event, config);
    this.state = state;
    this.commands.push(...commands);
    return commands;
  }

  tick(ms = 0): LeaseCommand[] {
    const commands: LeaseCommand[] = [];
    for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
      this.#pass(Math.min(1_000, leftMs));
      commands.push(...this.send({ type: 'tick', now: this.now }));
    }
    if (ms === 0) commands.push(...this.send({ type: 'tick', now: this.now }));
    return commands;
  }

  accept(): LeaseCommand[] {
    return this.send({ type: 'accepted', now: this.now });
  }

  fail(): LeaseCommand[] {
    return this.send({ type: 'failed', now: this.now, reason: 'ECONNRESET', random: 0.5 });
  }

  sleepMachine(ms: number, monotonicToo = false): void {
    this.now = {
      monotonicMs: this.now.monotonicMs + (monotonicToo ? ms : 0),
      wallMs: this.now.wallMs + ms,
    };
  }

  #pass(ms: number): void {
    this.now = { monotonicMs: this.now.monotonicMs + ms, wallMs: this.now.wallMs + ms };
  }
}

const held = (play: Play): HeldLease => {
  expect(play.state.phase).toBe('held');
  return play.state as HeldLease;
};

describe('heartbeats', () => {
  test('the first heartbeat goes out at once, the next one an interval after it was sent', () => {
    const play = new Play();
    expect(play.tick()).toEqual([{ type: 'send', number: 1 }]);
    play.tick(3_000);
    play.accept();
    expect(play.tick(16_000)).toEqual([]);
    expect(play.tick(1_000)).toEqual([{ type: 'send', number: 2 }]);
  });

  test('a failed heartbeat is tried again sooner than the interval', () => {
    const play = new Play();
    play.tick();
    play.fail();
    expect(play.tick(1_000)).toEqual([{ type: 'send', number: 2 }]);
  });

  test('heartbeats go on while the report is under way, and a dead token then fences nothing', () => {
    const play = new Play();
    play.tick();
    play.accept();
    play.send({ type: 'run-ended' });
    expect(play.tick(20_000)).toEqual([{ type: 'send', number: 2 }]);
    expect(play.send({ type: 'rejected', now: play.now, reason: 'TaskTimedOut' })).toEqual([]);
    expect(play.state.phase).toBe('over');
  });
});

describe('being told that the machine slept', () => {
  test('a heartbeat goes out at once, and nothing begins before it is accepted', () => {
    const play = new Play();
    play.tick();
    play.accept();
    expect(isVerified(play.state)).toBe(true);
    expect(play.send({ type: 'woke', now: play.now })).toEqual([{ type: 'send', number: 2 }]);
    expect(isVerified(play.state)).toBe(false);
    play.accept();
    expect(isVerified(play.state)).toBe(true);
  });

  test('told after it was noticed, it asks for no second proof', () => {
    const play = new Play();
    play.tick();
    play.accept();
    play.sleepMachine(60_000);
    expect(play.tick()).toEqual([{ type: 'send', number: 2 }]);
    play.send({ type: 'woke', now: play.now });
    play.accept();
    expect(isVerified(play.state)).toBe(true);
  });
});

describe('losing the lease', () => {
  test('a dead token is a fence at once', () => {
    const play = new Play();
    play.tick();
    expect(play.send({ type: 'rejected', now: play.now, reason: 'TaskTimedOut: closed' })).toEqual([
      { type: 'fence', reason: 'TaskTimedOut: closed' },
    ]);
  });

  test('none accepted for the lease time is a fence that names the last answer', () => {
    const play = new Play();
    play.tick();
    play.accept();
    const commands: LeaseCommand[] = [];
    for (let second = 0; second < 70 && play.state.phase === 'held'; second += 1) {
      commands.push(...play.tick(1_000));
      if (play.state.phase === 'held' && play.state.inFlight) play.fail();
    }
    expect(play.now.monotonicMs).toBe(60_000);
    expect(commands.at(-1)).toEqual({
      type: 'fence',
      reason: 'no heartbeat was accepted for 60 s (last answer: ECONNRESET)',
    });
  });

  test('an accepted heartbeat counts from when it was sent, not from when it was answered', () => {
    const play = new Play();
    play.tick();
    play.tick(9_000);
    play.accept();
    expect(nextDueMs(held(play), config)).toBe(20_000);
    play.tick(11_000); // number 2 goes out and never comes back
    expect(play.tick(39_000)).toEqual([]);
    expect(play.tick(1_000)).toMatchObject([{ type: 'fence' }]);
  });
});

describe('a jump of time', () => {
  test.each([
    ['the monotonic clock stands still during sleep', false],
    ['the monotonic clock goes on during sleep', true],
  ])('the lease is verified at once and in doubt until then (%s)', (_, monotonicToo) => {
    const play = new Play();
    play.tick();
    play.accept();
    play.tick(2_000);
    play.sleepMachine(3_600_000, monotonicToo);
    expect(play.tick()).toEqual([{ type: 'send', number: 2 }]);
    expect(isVerified(play.state)).toBe(false);
    play.accept();
    expect(isVerified(play.state)).toBe(true);
  });

  test('an answer to a heartbeat of before the jump verifies nothing', () => {
    const play = new Play();
    play.tick();
    play.sleepMachine(600_000);
    expect(play.tick()).toEqual([]); // number 1 is still in flight
    expect(play.accept()).toEqual([{ type: 'send', number: 2 }]);
    expect(isVerified(play.state)).toBe(false);
    play.accept();
    expect(isVerified(play.state)).toBe(true);
  });

  test('a lease that cannot be verified in time is lost', () => {
    const play = new Play();
    play.tick();
    play.accept();
    play.sleepMachine(600_000);
    play.tick();
    play.fail();
    for (let second = 0; second < 20 && play.state.phase === 'held'; second += 1) {
      play.tick(1_000);
      if (play.state.phase === 'held' && play.state.inFlight) play.fail();
    }
    expect(play.state.phase).toBe('lost');
    expect(play.now.monotonicMs).toBe(15_000);
  });

  test('a task of an earlier process waits for its first accepted heartbeat without limit', () => {
    const play = new Play(true);
    for (let minute = 0; minute < 10; minute += 1) {
      play.tick(60_000);
      if (held(play).inFlight) play.fail();
    }
    expect(isVerified(play.state)).toBe(false);
    expect(play.state.phase).toBe('held');
  });
});

test('never two heartbeats in flight, nothing after the fence, never held beyond the deadline (any order of events)', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 4_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: 0, max: 120_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('stall' as const), ms: fc.integer({ min: 0, max: 30_000 }) }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'accepted' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('failed' as const),
        random: fc.double({ min: 0, max: 0.99, noNaN: true }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'rejected' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'run-ended' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'release' as const }) },
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 200 }), (unverified, steps) => {
      let state: LeaseState = newLease(start, unverified);
      let now = start;
      // The model: what is in flight, and whether anything may still happen.
      let inFlight = 0;
      let fences = 0;
      let final = false;
      let unnoticedJumps = 0;
      const dispatch = (event: LeaseEvent): void => {
        const acted = reduceLease(state, event, config);
        expect(final ? acted.commands : []).toEqual([]);
        state = acted.state;
        if (['accepted', 'failed', 'rejected'].includes(event.type)) inFlight = 0;
        for (const command of acted.commands) {
          expect(final).toBe(false);
          if (command.type === 'send') inFlight += 1;
          else fences += 1;
        }
        expect(inFlight).toBeLessThanOrEqual(1);
        if (state.phase !== 'held') final = true;
        expect(fences).toBe(state.phase === 'lost' ? 1 : 0);
        expect(knownHeldForMs(state)).toBeLessThan(config.leaseMs);
      };
      for (const next of steps) {
        switch (next.do) {
          case 'pass':
            now = { monotonicMs: now.monotonicMs + next.ms, wallMs: now.wallMs + next.ms };
            dispatch({ type: 'tick', now });
            break;
          case 'jump':
            now = { ...now, wallMs: now.wallMs + next.ms };
            dispatch({ type: 'tick', now });
            unnoticedJumps += isVerified(state) && next.ms > config.gapMs ? 1 : 0;
            break;
          case 'stall':
            now = { monotonicMs: now.monotonicMs + next.ms, wallMs: now.wallMs + next.ms };
            break;
          case 'accepted':
          case 'rejected':
          case 'failed':
            // Answers come only to what was sent.
            if (inFlight === 0) break;
            if (next.do === 'failed') dispatch({ type: 'failed', now, reason: 'x', random: next.random });
            else if (next.do === 'accepted') dispatch({ type: 'accepted', now });
            else dispatch({ type: 'rejected', now, reason: 'TaskTimedOut' });
            break;
          default:
            dispatch({ type: next.do });
        }
      }
      expect(unnoticedJumps).toBe(0);
    }),
    { numRuns: 500 },
  );
});

/** Since the last accepted heartbeat was sent, while the run may act without asking; else 0. */
function knownHeldForMs(state: LeaseState): number {
  if (state.phase !== 'held' || !state.acting || state.verifyFrom !== null) return 0;
  return state.seen.monotonicMs - state.acceptedAtMs;
}
