/** Runs that are repeated, made into tests and started standing still, in a real browser. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_NAMES } from '../base/errors.ts';
import { adviceFor } from '../base/error-advice.ts';
import { openTestApi, type Answer, type TestApi } from '../../test/fixtures/api.ts';
import { startFixtureSite, type FixtureSite } from '../../test/fixtures/pages/fixtures.ts';
import type { RunDetail } from './run-detail.ts';

/** How long a run of one page may take on a busy machine. */
const RUN_MS = 40_000;

let api: TestApi;
let site: FixtureSite;

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', '<h1>Hello</h1><input id="pin">');
  api = await openTestApi({ variables: { AWS_REGION: 'eu-central-1' } });
});

afterAll(async () => {
  await api.close();
  await site.close();
});

const detail = async (runId: string): Promise<RunDetail> =>
  (await api.call('GET', `/runs/${runId}`)).json as RunDetail;

async function ended(answer: Answer): Promise<RunDetail> {
  expect(answer.status, answer.text).toBe(201);
  const { run_id } = answer.json as { run_id: string };
  await expect.poll(async () => (await detail(run_id)).ended_at, { timeout: RUN_MS }).not.toBeNull();
  return detail(run_id);
}

const start = async (body: object): Promise<Answer> => api.call('POST', '/runs', { body });

const script = (): Record<string, unknown> => ({
  name: 'Hello',
  variables: { pin: { type: 'string', secret: true }, who: 'nobody' },
  steps: [
    { action: 'navigate', url: `${site.url}/?{{who}}` },
    { action: 'fill', selector: '#pin', value: '{{pin}}' },
    { action: 'extract_dom', name: 'Title', extractions: [{ name: 'title', selector: 'h1' }] },
  ],
});

describe('run again', () => {
  test('does the same with the same variables and level; secrets have to be given anew', async () => {
    const first = await ended(
      await start({ script: script(), variables: { who: 'me', pin: 'Zq81-x' }, level: 'ERROR' }),
    );
    expect(first).toMatchObject({
      state: 'succeeded',
      of_steps: 3,
      again: { variables: { who: 'me' }, needs_variables: ['pin'] },
      steps: [{ duration_ms: expect.any(Number), error: null }, {}, {}],
    });
    const missing = await api.call('POST', `/runs/${first.run_id}/again`, { body: {} });
    expect(missing.json).toMatchObject({ status: 409, problems: [{ path: '$.variables.pin' }] });
    const second = await ended(
      await api.call('POST', `/runs/${first.run_id}/again`, { body: { variables: { pin: 'Zq81-x' } } }),
    );
    expect(second).toMatchObject({ state: 'succeeded', script_name: 'Hello', level: 'ERROR' });
    expect(second.level_reason).toContain(first.run_id);
    expect(second.result).toMatchObject({ data: first.result?.['data'] });
    const rows = JSON.stringify(api.agent.db.prepare('SELECT * FROM runs').all());
    expect(rows).not.toContain('Zq81-x');
  });

  test('a variable that turns out to be a secret is taken out of the record', async () => {
    const twice = { ...script(), variables: { pin: { type: 'string', secret: true }, who: 'nobody' } };
    const run = await ended(await start({ script: twice, variables: { who: 'is-Zq81-y', pin: 'Zq81-y' } }));
    expect(run.again).toEqual({ variables: {}, needs_variables: ['pin', 'who'] });
  });

  test('of a run whose script is not kept is a 409 with words', async () => {
    const { run_id } = await ended(await start({ script: script(), variables: { pin: 'Zq81-x' } }));
    api.agent.db.prepare('UPDATE runs SET request = NULL WHERE run_id = ?').run(run_id);
    for (const [method, path] of [
      ['POST', 'again'],
      ['GET', 'test'],
    ] as const) {
      const body = method === 'POST' ? { body: {} } : {};
      const { status, json } = await api.call(method, `/runs/${run_id}/${path}`, body);
      expect(status).toBe(409);
      expect(json).toMatchObject({ detail: expect.stringContaining('not kept') });
    }
  });
});

describe('a run as a test', () => {
  test('succeeds while the page is as it was, and fails when it is not', async () => {
    const run = await ended(await start({ script: script(), variables: { who: 'me', pin: 'Zq81-x' } }));
    const { json, status } = await api.call('GET', `/runs/${run.run_id}/test`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      name: 'Hello (test)',
      variables: { who: { default: 'me' }, pin: { secret: true } },
    });
    const variables = { pin: 'Zq81-x' };
    expect(await ended(await start({ script: json, variables }))).toMatchObject({ state: 'succeeded' });
    site.page('/', '<h1>Changed</h1><input id="pin">');
    const failed = await ended(await start({ script: json, variables }));
    expect(failed).toMatchObject({
      state: 'failed',
      error: { name: 'BrowserAgent.AssertionFailed' },
      advice: { title: 'A check did not hold' },
    });
    expect(failed.steps.at(-1)?.error?.advice.steps.length).toBeGreaterThan(0);
  });
});

test('how far the uploads of a run are is told in bytes, part by part, and where they go', async () => {
  const { run_id: runId } = await ended(await start({ script: script(), variables: { pin: 'Zq81-x' } }));
  const { uploadStore } = api.agent;
  const mb = 1024 * 1024;
  const file = { path: '/x', bucket: 'bucket', contentType: 'video/webm', metadata: {}, sha256: 'x', runId };
  uploadStore.enqueue(
    { ...file, key: `browser-sessions/${runId}/video.webm`, sizeBytes: 12 * mb },
    Date.now(),
  );
  uploadStore.enqueue({ ...file, key: `browser-sessions/${runId}/small`, sizeBytes: 100 }, Date.now());
  const [, video] = uploadStore.list({ runId, limit: 2 });
  uploadStore.setMultipart(video!.upload_id, 'm');
  uploadStore.addPart(video!, { number: 1, sha256: 'y', etag: 'e' });
  uploadStore.addPart(video!, { number: 2, sha256: 'y', etag: null });
  const { uploads, s3_uri, s3_console_url } = await detail(runId);
  expect(uploads).toMatchObject({ files: 2, bytes: 12 * mb + 100, sent_bytes: 5 * mb, waiting: 2, done: 0 });
  expect(s3_uri).toBe(`s3://bucket/browser-sessions/${runId}/`);
  expect(s3_console_url).toBe(
    `https://eu-central-1.console.aws.amazon.com/s3/buckets/bucket?region=eu-central-1&prefix=browser-sessions%2F${runId}%2F`,
  );
});

describe('a run that starts paused', () => {
  test('stands still before its first step, goes one step at a time, and then on', async () => {
    const steps = [
      { action: 'wait', duration: 1 },
      { action: 'wait', duration: 1 },
    ];
    const answer = await start({ script: { name: 'Slow', steps }, paused: true });
    expect(answer.json).toMatchObject({ paused: true, pause: { reason: 'started paused' } });
    const { run_id } = answer.json as { run_id: string };
    await expect.poll(async () => (await detail(run_id)).pause?.standing, { timeout: RUN_MS }).toBe(true);
    expect((await detail(run_id)).steps).toEqual([]);
    await api.call('POST', `/runs/${run_id}/step`);
    await expect
      .poll(async () => (await detail(run_id)).steps.filter(({ state }) => state === 'done').length, {
        timeout: RUN_MS,
      })
      .toBe(1);
    await api.call('POST', `/runs/${run_id}/resume`);
    expect(await ended(answer)).toMatchObject({ state: 'succeeded' });
  });
});

test('every error name has advice of its own, with something to do', () => {
  const titles = ERROR_NAMES.map((name) => adviceFor(name).title);
  expect(new Set(titles).size).toBe(ERROR_NAMES.length);
  for (const name of ERROR_NAMES) expect(adviceFor(name).steps.length).toBeGreaterThan(0);
  expect(adviceFor('MyOwnError').meaning).toContain('MyOwnError');
});
