import { EventEmitter } from 'node:events';
import type { BrowserContext, Page } from 'playwright';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plainJpeg } from '../../test/support/pictures.ts';
import { until } from '../../test/support/recording.ts';
import { systemActor } from '../base/actor.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { Screencast } from '../recording/screencast.ts';
import { PauseGate } from '../runs/pause-gate.ts';
import type { WatchableRun } from '../runs/watchable.ts';
import type { LiveMessage } from './messages.ts';
import type { CloseReason, Pipe } from './pipe.ts';
import type { Watcher } from './member.ts';
import { ENDED, LiveSession, MAX_VIEWERS } from './session.ts';

const GREETING = Buffer.from('RFB 003.008\n\u0001\u0001', 'latin1');
const ENCODINGS = Buffer.from([2, 0, 0, 1, 0, 0, 0, 21]);
const REQUEST = Buffer.from([3, 1, 0, 0, 0, 0, 0, 64, 0, 48]);
const CLICK = Buffer.from([5, 1, 0, 1, 0, 1]);

const frames = await Promise.all(['red', 'blue', 'green', 'white'].map((color) => plainJpeg(color)));

let cast: Screencast;
let gate: PauseGate;
let session: LiveSession;
let acted: number;
let done: number;

beforeEach(() => {
  cast = new Screencast({ log: silentLogger });
  gate = new PauseGate({ clock: systemClock, maxHeldMs: 60_000 });
  acted = 0;
  done = 0;
  const page = Object.assign(new EventEmitter(), { url: () => 'https://shop.example/a?token=1' });
  const context = Object.assign(new EventEmitter(), { pages: () => [page] });
  const run: WatchableRun = {
    runId: 'r',
    scriptName: 'Script',
    context: context as unknown as BrowserContext,
    page: () => page as unknown as Page,
    watch: async () => cast,
    watchPage: async () => null,
    personActs: async () => {
      acted += 1;
      return async () => void (done += 1);
    },
  };
  session = new LiveSession({
    run,
    controls: {
      paused: () => gate.state,
      waiting: () => null,
      hold: (by, reason) => gate.hold(by, reason),
      pause: (by) => void gate.pause(by),
      resume: () => gate.resume(),
      step: () => gate.step(),
      cancel: () => gate.close(),
    },
    log: silentLogger,
    limits: { graceMs: 150, idleMs: 60_000 },
  });
});
afterEach(() => {
  session.end(ENDED);
  cast.close();
  gate.close();
});

function client(more: Partial<Watcher> = {}, isSlow = false) {
  const said: LiveMessage[] = [];
  let sentBytes = 0;
  let updates = 0;
  let closed: CloseReason | null = null;
  const pipe: Pipe = {
    send: (parts, onSent) => {
      for (const part of parts) sentBytes += part.length;
      if (parts.length > 1) updates += 1;
      if (!isSlow) setImmediate(() => onSent?.());
    },
    say: (message) => void said.push(message as LiveMessage),
    close: (reason) => {
      closed = reason;
    },
  };
  const connection = session.attach(pipe, {
    role: 'operator',
    keyId: 'anna',
    actor: systemActor,
    password: null,
    ...more,
  });
  connection.receive(Buffer.concat([GREETING, ENCODINGS]));
  const input = (): string | undefined => said.findLast((message) => message.type === 'state')?.input;
  const notices = (): string[] =>
    said.filter((message) => message.type === 'notice').map(({ words }) => words);
  return {
    ...connection,
    said,
    input,
    notices,
    sentBytes: () => sentBytes,
    updates: () => updates,
    closed: () => closed,
  };
}

let drawnAtMs = Date.now();
function draw(index: number): void {
  drawnAtMs += 1;
  cast.offer({ jpeg: frames[index % frames.length]!, wallTimeMs: drawnAtMs, monotonicMs: drawnAtMs });
}
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('the capture begins when somebody is expected, and ends when they do not come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const leave = vi.fn();
    const subscribe = vi.spyOn(cast, 'subscribe').mockReturnValue(leave);
    session.expect();
    await turn();
    expect([subscribe.mock.calls.length, leave.mock.calls.length]).toEqual([1, 0]);
    vi.advanceTimersByTime(5_000);
    expect(leave).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

describe('many watch', () => {
  test('50 viewers each at their own pace, and those who do not read hold up nobody and cost one frame', async () => {
    const fast = Array.from({ length: 40 }, () => client({ role: 'viewer' }));
    const slow = Array.from({ length: 10 }, () => client({ role: 'viewer' }, true));
    await turn();
    for (let frame = 0; frame < 60; frame += 1) {
      draw(frame);
      for (const one of [...fast, ...slow]) one.receive(REQUEST);
      await turn();
      await turn();
    }
    for (const one of fast) expect(one.updates()).toBeGreaterThan(25);
    for (const one of slow) {
      expect(one.updates()).toBe(1);
      expect(one.sentBytes()).toBeLessThan(5_000);
    }
    for (const one of [...fast, ...slow]) one.gone();
    expect(session.viewers).toBe(0);
  });

  test('one too many is told so', () => {
    const all = Array.from({ length: MAX_VIEWERS }, () => client());
    expect(client().closed()?.words).toContain('people watch this run already');
    all[0]!.gone();
    expect(client().closed()).toBeNull();
  });

  test('all are told when the run ends, and whoever comes later', async () => {
    const one = client();
    session.end(ENDED);
    expect(one.closed()).toEqual(ENDED);
    expect(client().closed()).toEqual(ENDED);
  });

  test('addresses of pages are told without what may be secret in them', async () => {
    const one = client();
    await until(() => one.said.length > 0, 'the state');
    expect(JSON.stringify(one.said)).toContain('shop.example/a');
    expect(JSON.stringify(one.said)).not.toContain('token');
  });
});

describe('taking over', () => {
  test('waits until the run stands still, then lends mouse and keyboard, until they are given back', async () => {
    const one = client();
    one.ask({ type: 'take' });
    await until(() => one.input() === 'taking', 'waiting for the action that goes on');
    expect(acted).toBe(0);
    const passed = gate.pass(new AbortController().signal);
    await until(() => one.input() === 'yours', 'having it');
    expect(acted).toBe(1);
    one.ask({ type: 'release' });
    await passed;
    expect(done).toBe(1);
    await until(() => one.input() === 'free', 'being free');
  });

  test('is refused to the second, in words', async () => {
    const [one, other] = [client(), client({ keyId: 'ben' })];
    one.ask({ type: 'take' });
    await until(() => one.input() === 'taking', 'the first');
    other.ask({ type: 'take' });
    await until(() => other.notices().length > 0, 'being told');
    expect(other.notices()[0]).toContain('Somebody else has mouse and keyboard');
    expect(other.input()).toBe('other');
  });

  test('ends with the connection after the grace time, and the run goes on', async () => {
    const one = client();
    one.ask({ type: 'take' });
    await until(() => one.input() === 'taking', 'taking');
    const passed = gate.pass(new AbortController().signal);
    await until(() => one.input() === 'yours', 'having it');
    one.gone();
    expect(gate.isHeld).toBe(true);
    await passed;
    expect(gate.isHeld).toBe(false);
    expect(done).toBe(1);
  });

  test('given back before the run stood still, nothing is left of it', async () => {
    const one = client();
    one.ask({ type: 'take' });
    await until(() => one.input() === 'taking', 'taking');
    one.ask({ type: 'release' });
    await until(() => !gate.isHeld, 'the release');
    expect(acted).toBe(done);
  });
});

describe('who may only watch', () => {
  test('is closed when they send input, and told when they steer', async () => {
    const one = client({ role: 'viewer' });
    one.ask({ type: 'pause' });
    expect(one.notices()[0]).toContain('for watching');
    expect(gate.isHeld).toBe(false);
    draw(0);
    one.receive(CLICK);
    expect(one.closed()?.words).toContain('for watching');
  });

  test('is let be where its client cannot keep its hands off', () => {
    const one = client({ role: 'viewer', isDeaf: true });
    one.receive(CLICK);
    expect(one.closed()).toBeNull();
  });
});
