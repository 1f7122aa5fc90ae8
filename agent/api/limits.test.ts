import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { ApiKeyStore, type ApiKeyRow } from '../store/api-keys.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { KeyRing } from './keys.ts';
import { RateLimits } from './limits.ts';

const PER_DAY = 1_000;

let db: Database;
let store: ApiKeyStore;
let keyId: string;

beforeEach(() => {
  db = openDatabase(':memory:');
  store = new ApiKeyStore(db);
  const keys = new KeyRing({ store, clock: systemClock });
  keyId = keys.create({ name: 'a', scopes: ['read'], tier: 'basic', expiresAt: null }).row.key_id;
});

afterEach(() => {
  db.close();
});

/** As an agent starts: what was used is what the database says. */
function started(): RateLimits {
  const tier = { perMinute: 1_000_000, perDay: PER_DAY };
  return new RateLimits({
    store,
    // Not at midnight, whenever the test runs.
    clock: { ...systemClock, now: () => Date.UTC(2026, 4, 1, 12) },
    limits: () => ({ basic: tier, standard: tier, premium: tier }),
  });
}

const row = (): ApiKeyRow => store.find(keyId)!;

function take(limits: RateLimits, times: number): number {
  let allowed = 0;
  for (let index = 0; index < times; index += 1) if (limits.take(row()).allowed) allowed += 1;
  return allowed;
}

test('an agent that is killed again and again gives no request of the day back, and takes few', () => {
  let allowed = 0;
  for (let life = 0; life < 10; life += 1) allowed += take(started(), 55);
  expect(allowed).toBe(550);
  const rest = take(started(), PER_DAY);
  expect(allowed + rest).toBeLessThanOrEqual(PER_DAY);
  // A hundredth of the day's for each life.
  expect(allowed + rest).toBeGreaterThanOrEqual(PER_DAY - 10 * (PER_DAY / 100));
});

test('an agent that ends takes none', () => {
  const limits = started();
  take(limits, 55);
  limits.flush();
  expect(row().day_requests).toBe(55);
  expect(take(started(), PER_DAY)).toBe(PER_DAY - 55);
});
