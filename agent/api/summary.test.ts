import { afterEach, beforeEach, expect, test } from 'vitest';
import { newRunId } from '../base/ids.ts';
import { AWS_SERVICES, SERVICES } from '../base/services.ts';
import { openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import type { Summary } from './routes/summary.ts';

let clock: ManualClock;
let api: TestApi;

beforeEach(async () => {
  clock = new ManualClock();
  api = await openTestApi({ clock });
});

afterEach(async () => {
  await api.close();
});

async function summary(query = ''): Promise<Summary> {
  const { status, json, text } = await api.call('GET', `/summary${query}`);
  expect(status, text).toBe(200);
  return json as Summary;
}

function begin(script: object, at = clock.now()): string {
  const runId = newRunId();
  api.agent.runs.create({
    runId,
    taskId: null,
    scriptName: 'Invoices',
    script: JSON.stringify(script),
    level: { level: 'INFO', reason: 'test' },
    profile: null,
    owner: { pid: process.pid, started: '0' },
    now: at,
  });
  return runId;
}

const STEPS = { action: 'wait', duration: 1 };
const kinds = (shown: Summary): string[] => shown.needs_person.map(({ kind }) => kind);

test('the numbers are those of the day, by state, with the duration of the run in the middle', async () => {
  const { runs } = api.agent;
  const now = clock.now();
  begin({ name: 'x', steps: [STEPS] }, now - 2 * 86_400_000);
  for (const ms of [10, 500, 900]) {
    const runId = begin({ name: 'x', steps: [STEPS] });
    runs.transition(runId, 'running', { now });
    runs.transition(runId, 'succeeded', { now: now + ms });
  }
  const shown = await summary();
  expect(new Date(shown.since).getHours()).toBe(0);
  expect(shown.runs).toMatchObject({ total: 3, succeeded: 3, failed: 0 });
  expect(shown.median_duration_ms).toBe(500);
  expect((await summary(`?since=${new Date(now - 3 * 86_400_000).toISOString()}`)).runs.total).toBe(4);
});

test('a run at work says which step of how many of its script it is at, starting page included', async () => {
  const runId = begin({ name: 'x', starting_page: 'https://example.com', steps: [STEPS, STEPS] });
  const { runs } = api.agent;
  expect((await summary()).current).toMatchObject([{ run_id: runId, step: null, of_steps: 3 }]);
  runs.transition(runId, 'running', { now: clock.now() });
  runs.stepIntent(runId, { number: 1, name: 'Open', action: 'navigate', path: '$.starting_page', now: 1 });
  expect((await summary()).current).toMatchObject([{ step: 1, step_name: 'Open' }]);
  runs.stepIntent(runId, { number: 2, name: 'Deep', action: 'wait', path: '$.steps[1].then[0]', now: 2 });
  expect((await summary()).current).toMatchObject([{ step: 3, of_steps: 3, step_name: 'Deep' }]);
});

test('what needs a person says what and where: setup, who is asked, who must sign in again', async () => {
  expect(kinds(await summary())).toContain('setup');
  const { runs, profiles, humans } = api.agent;
  const { profileId } = profiles.create({ name: 'portal' });
  const runId = begin({ name: 'x', steps: [STEPS] });
  const now = clock.now();
  runs.transition(runId, 'running', { now, profile: 'portal' });
  const over = new AbortController();
  const asked = humans.ask(
    { runId, stepNumber: 3, message: 'Solve the puzzle', timeoutMs: 1e6 },
    over.signal,
  );
  const waiting = await summary();
  expect(waiting.needs_person).toContainEqual(
    expect.objectContaining({ kind: 'human_step', detail: 'Solve the puzzle', go_to: 'run', id: runId }),
  );
  expect(waiting.current[0]?.waiting_for_person).toBe('Solve the puzzle');
  humans.resume(runId);
  await asked;
  const errorName = 'BrowserAgent.LoginRequired';
  runs.transition(runId, 'failed', { now, errorName, errorMessage: 'x' });
  expect((await summary()).needs_person).toContainEqual(
    expect.objectContaining({ kind: 'sign_in', go_to: 'profile', id: 'portal' }),
  );
  profiles.setSignedIn(profileId, now + 1);
  expect(kinds(await summary())).not.toContain('sign_in');
});

test('uploads that failed for good are told, and counted with what waits', async () => {
  const { uploadStore } = api.agent;
  const runId = newRunId();
  for (const key of ['a', 'b']) {
    const file = { path: `/${key}`, bucket: 'bucket', key, contentType: 'text/plain', metadata: {} };
    uploadStore.enqueue({ ...file, runId, sizeBytes: 7, sha256: 'x' }, clock.now());
  }
  uploadStore.fail(uploadStore.list({ limit: 1 })[0]!.upload_id, 'the file is gone', clock.now());
  const shown = await summary();
  expect(shown.uploads).toEqual({ files: 0, bytes: 0, waiting: 1, waiting_bytes: 7, failed: 1 });
  expect(shown.needs_person).toContainEqual(
    expect.objectContaining({ kind: 'uploads', title: 'One upload failed', go_to: 'uploads' }),
  );
});

test('each service that keeps failing is named as AWS names it, with what the agent uses it for', async () => {
  const { resilience } = api.agent;
  const down = Object.assign(new Error('try later'), {
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
  for (const service of AWS_SERVICES) {
    for (let call = 1; call <= 5; call += 1) {
      await expect(resilience.call(service, 'AnyCommand', () => Promise.reject(down))).rejects.toBe(down);
    }
  }
  const needs = (await summary()).needs_person.filter(({ kind }) => kind === 'service');
  expect(needs.map(({ title }) => title)).toEqual(
    AWS_SERVICES.map((service) => `${SERVICES[service].name} does not answer`),
  );
  expect(needs.find(({ title }) => title.startsWith('Amazon S3'))?.detail).toMatch(
    /^The agent uploads evidence and large outputs to it\. It keeps trying, and nothing is lost\. Last error: ServiceUnavailable: .*try later$/,
  );
});
