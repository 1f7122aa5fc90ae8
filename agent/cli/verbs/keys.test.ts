import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTestApi, type TestApi } from '../../../test/fixtures/api.ts';
import { Failed, WrongUse } from '../main-types.ts';
import { keys } from './keys.ts';

let api: TestApi;
let printed: string;

beforeEach(async () => {
  api = await openTestApi();
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
});

async function run(args: string[], more: object = {}): Promise<unknown> {
  printed = '';
  await keys({ home: api.home, json: true, scope: ['read'], tier: 'basic', ...more }, args);
  return JSON.parse(printed);
}

test('a key made on the command line opens the running API at once, until it is revoked there', async () => {
  const made = (await run(['create', 'tool'], { scope: ['run,operate'], expires: '30d' })) as {
    key: string;
    key_id: string;
    expires_at: number;
  };
  expect(made).toMatchObject({ name: 'tool', scopes: ['run', 'operate'], tier: 'basic' });
  expect(made.expires_at).toBeGreaterThan(Date.now() + 29 * 86_400_000);
  expect((await api.call('GET', '/version', { key: made.key })).status).toBe(200);
  const listed = await run(['list']);
  expect(listed).toMatchObject([{ key_id: made.key_id, name: 'tool', revoked_at: null }]);
  expect(JSON.stringify(listed)).not.toMatch(/sha256|lba_/);
  await run(['revoke', made.key_id]);
  expect((await api.call('GET', '/version', { key: made.key })).status).toBe(401);
  expect(api.agent.audit.list({ limit: 10 }).map(({ action }) => action)).toEqual([
    'key.revoke',
    'key.create',
  ]);
});

test('what it cannot make sense of is wrong use, an unknown key a failure', async () => {
  await expect(run(['create'])).rejects.toThrow(WrongUse);
  await expect(run(['forget'])).rejects.toThrow(WrongUse);
  await expect(run(['create', 'x'], { scope: ['all'] })).rejects.toThrow(/use read, run, operate, admin/);
  await expect(run(['create', 'x'], { tier: 'gold' })).rejects.toThrow(/basic, standard, premium/);
  await expect(run(['create', 'x'], { expires: 'yesterday' })).rejects.toThrow(/time to come/);
  await expect(run(['revoke', '000000000000'])).rejects.toThrow(Failed);
});
