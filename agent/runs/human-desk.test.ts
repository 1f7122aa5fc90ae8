import { expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { EventBus, type AgentEvent } from '../base/events.ts';
import { silentLogger } from '../base/log.ts';
import { HumanDesk } from './human-desk.ts';

function desk(): { desk: HumanDesk; seen: AgentEvent[]; signal: AbortController } {
  const events = new EventBus(silentLogger);
  const seen: AgentEvent[] = [];
  events.on('test', (event) => seen.push(event));
  return { desk: new HumanDesk({ clock: systemClock, events }), seen, signal: new AbortController() };
}

const request = { runId: 'r1', stepNumber: 2, message: 'Solve the puzzle', timeoutMs: 60_000 };

test('a run goes on when the person says so', async () => {
  const { desk: human, seen, signal } = desk();
  const asked = human.ask(request, signal.signal);
  expect(human.pending()).toHaveLength(1);
  expect(human.resume('other')).toBe(false);
  expect(human.resume('r1')).toBe(true);
  await expect(asked).resolves.toBe('person');
  expect(human.pending()).toEqual([]);
  expect(seen.map((event) => event.type)).toEqual(['human.requested', 'human.resolved']);
});

test('a run goes on when the condition holds', async () => {
  const { desk: human, signal } = desk();
  let looks = 0;
  const asked = human.ask({ ...request, until: async () => (looks += 1) >= 2 }, signal.signal);
  await expect(asked).resolves.toBe('condition');
});

test('nobody coming in time is HumanTimeout and says what to do', async () => {
  const { desk: human, seen, signal } = desk();
  await expect(human.ask({ ...request, timeoutMs: 5 }, signal.signal)).rejects.toMatchObject({
    errorName: 'BrowserAgent.HumanTimeout',
    message: expect.stringContaining('Solve the puzzle'),
  });
  expect(seen.at(-1)).toMatchObject({ type: 'human.resolved', by: 'timeout' });
});

test('a cancelled run stops waiting at once', async () => {
  const { desk: human, seen, signal } = desk();
  const asked = human.ask(request, signal.signal);
  signal.abort(new Error('cancelled'));
  await expect(asked).rejects.toThrow('cancelled');
  expect(seen.at(-1)).toMatchObject({ type: 'human.resolved', by: 'cancel' });
});
