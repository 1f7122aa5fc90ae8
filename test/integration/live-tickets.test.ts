/** Tickets of the live view over the API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';
import { openTestApi, type TestApi } from '../fixtures/api.ts';

const SOON_MS = 30_000;

let api: TestApi;
let site: FixtureSite;
let runId: string;

beforeAll(async () => {
  site = await startFixtureSite();
  api = await openTestApi({ variables: { LBA_API_LIVE_TICKET_SECONDS: '30' } });
  const body = { script: { name: 'Watched', steps: [{ action: 'wait', duration: 60_000 }] } };
  runId = ((await api.call('POST', '/runs', { body })).json as { run_id: string }).run_id;
});

afterAll(async () => {
  await api.close();
  await site.close();
});

const ask = (key: string | undefined, role: string) =>
  api.call('POST', `/runs/${runId}/live-tickets`, { ...(key === undefined ? {} : { key }), body: { role } });

test('who may look gets a ticket to look, who may operate one to act, and nobody more', async () => {
  const reader = await api.key({ name: 'reader', scopes: ['read'] });
  const operator = await api.key({ name: 'operator', scopes: ['operate'] });
  const before = Date.now();
  const { status, json } = await ask(reader.key, 'viewer');
  const { ticket, expires_at } = json as { ticket: string; expires_at: string };
  expect([status, json]).toEqual([
    201,
    { ticket, role: 'viewer', expires_at, path: `/live/${runId}#ticket=${ticket}` },
  ]);
  expect(Date.parse(expires_at) - before).toBeGreaterThanOrEqual(29_000);
  expect((await ask(reader.key, 'operator')).status).toBe(403);
  expect((await ask(operator.key, 'operator')).json).toMatchObject({ role: 'operator' });
  expect((await ask(undefined, 'operator')).status).toBe(201);
  expect((await ask(reader.key, 'king')).status).toBe(400);
});

test('a run that has ended gives no tickets', async () => {
  await api.call('POST', `/runs/${runId}/cancel`);
  const state = async (): Promise<string> =>
    ((await api.call('GET', `/runs/${runId}`)).json as { state: string }).state;
  await expect.poll(state, { timeout: SOON_MS }).toBe('cancelled');
  expect((await ask(undefined, 'viewer')).json).toMatchObject({
    status: 409,
    detail: 'The run has ended: it is cancelled.',
  });
  runId = '01890000-0000-7000-8000-000000000000';
  expect((await ask(undefined, 'viewer')).status).toBe(404);
});
