import { EventEmitter } from 'node:events';
import type { BrowserContext, Page } from 'playwright';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../base/actor.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { PauseGate } from '../runs/pause-gate.ts';
import type { Member } from './member.ts';
import { Takeover } from './takeover.ts';

let gate: PauseGate;
let takeover: Takeover;
/** What happened in the run, in order. */
let steps: string[];
let hidden: PromiseWithResolvers<void>;

beforeEach(() => {
  gate = new PauseGate({ clock: systemClock, maxHeldMs: 60_000 });
  steps = [];
  hidden = Promise.withResolvers();
  takeover = new Takeover({
    run: {
      context: Object.assign(new EventEmitter(), { pages: () => [] }) as unknown as BrowserContext,
      page: () => ({}) as Page,
      personActs: async () => {
        steps.push('person acts');
        return async () => {
          await hidden.promise;
          steps.push('hidden');
        };
      },
    },
    hold: () => gate.hold(systemActor, 'a person acts in the page'),
    onChange: () => undefined,
    log: silentLogger,
  });
});

afterEach(() => {
  takeover.end();
  hidden.resolve();
  gate.close();
});

function member(id: number, keyId: string): Member & { notices: string[] } {
  const notices: string[] = [];
  const pipe = { say: (message: { words?: string }) => notices.push(message.words ?? '') };
  return {
    id,
    watcher: { role: 'operator', keyId, actor: systemActor, password: null },
    pipe,
    viewer: { isClosed: false, pictureWidth: 1 },
    lookingAt: null,
    notices,
  } as unknown as Member & { notices: string[] };
}

test('the run continues only after what the person typed is hidden', async () => {
  const anna = member(1, 'anna');
  const taking = takeover.take(anna);
  await expect.poll(() => takeover.stateFor(anna)).toBe('taking');
  const run = gate.pass(new AbortController().signal).then(() => steps.push('continued'));
  await taking;
  expect(takeover.stateFor(anna)).toBe('yours');
  takeover.release(anna);
  expect(takeover.stateFor(anna)).toBe('free');
  expect(steps).toEqual(['person acts']);
  hidden.resolve();
  await run;
  expect(steps).toEqual(['person acts', 'hidden', 'continued']);
});

test('a second person is refused while the first has mouse and keyboard', async () => {
  const [anna, ben] = [member(1, 'anna'), member(2, 'ben')];
  const taking = takeover.take(anna);
  await expect.poll(() => takeover.stateFor(anna)).toBe('taking');
  const run = gate.pass(new AbortController().signal);
  await taking;
  expect(takeover.stateFor(ben)).toBe('other');
  await takeover.take(ben);
  expect(ben.notices).toEqual(['Somebody else has mouse and keyboard. They must give them back first.']);
  hidden.resolve();
  takeover.release(anna);
  await run;
});

test('a run that has ended cannot be taken over', async () => {
  gate.close();
  const anna = member(1, 'anna');
  await takeover.take(anna);
  expect(takeover.stateFor(anna)).toBe('free');
  expect(steps).toEqual([]);
});
