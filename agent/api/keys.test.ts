import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let clock: ManualClock;
let api: TestApi;

beforeEach(async () => {
  clock = new ManualClock();
  api = await openTestApi({
    clock,
    variables: { LBA_API_BASIC_PER_MINUTE: '5', LBA_API_BASIC_PER_DAY: '8' },
  });
});

afterEach(async () => {
  await api.close();
});

const errorOf = (json: unknown): unknown => (json as { error?: unknown }).error;

describe('a key', () => {
  test('is shown once, in full and with its readable prefix, and kept as a hash alone', async () => {
    const { key, key_id } = await api.key({ name: 'reports' });
    expect(key).toMatch(/^lba_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    const { text } = await api.call('GET', '/keys');
    expect(text).toContain(key_id);
    expect(text).not.toContain(key.slice(-43));
    const stored = JSON.stringify(api.agent.db.prepare('SELECT * FROM api_keys').all());
    expect(stored).not.toContain(key.slice(-43));
  });

  test('opens nothing with one character changed', async () => {
    const { key } = await api.key({ name: 'a' });
    const last = key.endsWith('A') ? 'B' : 'A';
    for (const wrong of [`${key.slice(0, -1)}${last}`, key.slice(0, -1), `${key}A`, key.toUpperCase(), '']) {
      const { status, headers, json } = await api.call('GET', '/version', { key: wrong });
      expect(status, wrong).toBe(401);
      expect(headers['www-authenticate']).toContain('Bearer');
      expect(errorOf(json)).toBe('BrowserAgent.Unauthorized');
    }
    expect((await api.call('GET', '/version', { key })).status).toBe(200);
  });

  test('may do what its scopes say, and look', async () => {
    const allowed = async (scopes: string[]): Promise<number[]> => {
      const { key } = await api.key({ name: 'x', scopes, tier: 'premium' });
      const statuses: number[] = [];
      for (const [method, path, body] of [
        ['GET', '/runs', undefined],
        ['POST', '/runs', { script: {} }],
        ['PUT', '/profiles/none/tags', { tags: [] }],
        ['GET', '/keys', undefined],
      ] as const) {
        statuses.push((await api.call(method, path, { key, body })).status);
      }
      return statuses;
    };
    expect(await allowed(['read'])).toEqual([200, 403, 403, 403]);
    expect(await allowed(['run'])).toEqual([200, 422, 403, 403]);
    expect(await allowed(['operate'])).toEqual([200, 403, 404, 403]);
    expect(await allowed(['admin'])).toEqual([200, 422, 404, 200]);
  });

  test('is dead from the moment it is revoked, and stays in the list', async () => {
    const { key, key_id } = await api.key({ name: 'a' });
    expect((await api.call('GET', '/version', { key })).status).toBe(200);
    expect((await api.call('DELETE', `/keys/${key_id}`)).status).toBe(200);
    const { status, text } = await api.call('GET', '/version', { key });
    expect(status).toBe(401);
    expect(text).toContain('revoked');
    expect((await api.call('GET', '/keys')).text).toContain(key_id);
  });

  test('ends when it expires', async () => {
    const expires_at = new Date(clock.now() + MINUTE_MS).toISOString();
    const { key } = await api.key({ name: 'a', expires_at });
    expect((await api.call('GET', '/version', { key })).status).toBe(200);
    await clock.advance(MINUTE_MS);
    expect((await api.call('GET', '/version', { key })).text).toContain('expired');
  });

  test('cannot be made to have expired already', async () => {
    const expires_at = new Date(clock.now()).toISOString();
    expect((await api.call('POST', '/keys', { body: { name: 'a', expires_at } })).status).toBe(400);
  });

  test('has its last use on record when the agent ends', async () => {
    const { key, key_id } = await api.key({ name: 'a' });
    const usedAt = clock.now();
    await api.call('GET', '/version', { key });
    await api.call('GET', '/version', { key });
    await api.api.close();
    expect(
      api.agent.db.prepare('SELECT last_used_at, day_requests FROM api_keys WHERE key_id = ?').get(key_id),
    ).toEqual({ last_used_at: usedAt, day_requests: 2 });
  });
});

describe('the audit log', () => {
  test('has every call that changes something, with who made it and how it ended, and no key', async () => {
    const { key, key_id } = await api.key({ name: 'tool', scopes: ['operate'], tier: 'premium' });
    await api.call('POST', '/profiles', { key, body: { name: 'portal' } });
    await api.call('DELETE', '/profiles/nobody', { key });
    await api.call('DELETE', `/keys/${key_id}`, { key });
    await api.call('GET', '/profiles', { key });
    await api.call('POST', '/scripts/validate', { key, body: { script: {} } });
    await api.call('POST', '/profiles', { key: null, body: { name: 'stranger' } });
    const entries = api.agent.audit.list({ limit: 100 }).toReversed();
    expect(entries.map(({ by, action, target, result }) => [by.id, action, target, result])).toEqual([
      ['owner', 'api.createKey', 'api/keys', 'ok'],
      [key_id, 'api.createProfile', 'api/profiles', 'ok'],
      [key_id, 'api.deleteProfile', 'api/profiles/nobody', 'failed'],
      [key_id, 'api.revokeKey', `api/keys/${key_id}`, 'denied'],
    ]);
    expect(entries[1]!.by).toMatchObject({
      kind: 'key',
      from: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
    expect(JSON.stringify(entries)).not.toContain(key.slice(-43));
  });
});

describe('limits', () => {
  test('each answer says what is left; one too many is a 429 that says when to ask again', async () => {
    const { key } = await api.key({ name: 'a' });
    const left: unknown[] = [];
    for (let i = 0; i < 5; i += 1) {
      const { status, headers } = await api.call('GET', '/version', { key });
      expect(status).toBe(200);
      expect(headers['ratelimit-limit']).toBe('5');
      expect(headers['ratelimit-policy']).toBe('5;w=60, 8;w=86400');
      left.push(headers['ratelimit-remaining']);
    }
    expect(left).toEqual(['4', '3', '2', '1', '0']);
    await clock.advance(20_000);
    const { status, headers, json } = await api.call('GET', '/version', { key });
    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('40');
    expect(headers['ratelimit-reset']).toBe('40');
    expect(headers['content-type']).toContain('application/problem+json');
    expect(errorOf(json)).toBe('BrowserAgent.TooManyRequests');
    await clock.advance(40_000);
    expect((await api.call('GET', '/version', { key })).status).toBe(200);
  });

  test('the day is a limit of its own, and one key does not use up the other', async () => {
    const { key } = await api.key({ name: 'a' });
    const { key: other } = await api.key({ name: 'b' });
    const statuses: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      if (i === 5) await clock.advance(MINUTE_MS);
      statuses.push((await api.call('GET', '/version', { key })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 429]);
    expect((await api.call('GET', '/version', { key: other })).status).toBe(200);
    await clock.advance(DAY_MS);
    expect((await api.call('GET', '/version', { key })).status).toBe(200);
  });

  test("a request beyond the key's scope counts, one with a wrong key counts for nobody", async () => {
    const { key } = await api.key({ name: 'a' });
    expect((await api.call('GET', '/keys', { key })).headers['ratelimit-remaining']).toBe('4');
    await api.call('GET', '/version', { key: `${key.slice(0, -1)}!` });
    expect((await api.call('GET', '/version', { key })).headers['ratelimit-remaining']).toBe('3');
  });

  test('the owner has none', async () => {
    for (let i = 0; i < 20; i += 1) expect((await api.call('GET', '/version')).status).toBe(200);
  });
});
