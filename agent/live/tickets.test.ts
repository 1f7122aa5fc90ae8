import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import { LiveTickets } from './tickets.ts';

const LIFE_MS = 60_000;
const wanted = { runId: 'r1', role: 'operator', keyId: 'k1' } as const;

function make(): { tickets: LiveTickets; clock: ManualClock; revoked: Set<string> } {
  const clock = new ManualClock();
  const revoked = new Set<string>();
  const isKeyGood = (keyId: string): boolean => !revoked.has(keyId);
  return { tickets: new LiveTickets({ clock, lifeMs: () => LIFE_MS, isKeyGood }), clock, revoked };
}

describe('tickets of the live view', () => {
  test('a ticket is good once, for its run, role and key', () => {
    const { tickets, clock } = make();
    const { ticket, expiresAt } = tickets.issue(wanted);
    expect(expiresAt).toBe(clock.now() + LIFE_MS);
    expect(tickets.redeem(ticket)).toEqual(wanted);
    expect(tickets.redeem(ticket)).toEqual({ problem: 'used' });
  });

  test('a ticket that was never issued is unknown', () => {
    const { tickets } = make();
    for (const ticket of ['', 'x', 'x'.repeat(100_000)]) {
      expect(tickets.redeem(ticket)).toEqual({ problem: 'unknown' });
    }
  });

  test('a ticket ends with its time, and its holder is told so for a while', async () => {
    const { tickets, clock } = make();
    const { ticket } = tickets.issue(wanted);
    await clock.advance(LIFE_MS);
    expect(tickets.redeem(ticket)).toEqual({ problem: 'expired' });
    await clock.advance(10 * LIFE_MS);
    tickets.issue(wanted);
    expect(tickets.redeem(ticket)).toEqual({ problem: 'unknown' });
  });

  test('a ticket ends with its key', () => {
    const { tickets, revoked } = make();
    const { ticket } = tickets.issue(wanted);
    revoked.add('k1');
    expect(tickets.redeem(ticket)).toEqual({ problem: 'revoked' });
  });
});
