/**
 * Every operation of the OpenAPI document on a real agent at work, and every status that it declares, but
 * 500: each answer is held against its schema.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { startSandbox, type Sandbox } from '../../agent/sandbox/index.ts';
import { keepServing, type Life } from '../../agent/serve-loop.ts';
import { call, openTestApi, type Answer, type Call } from '../fixtures/api.ts';
import { Contract, type Values } from '../fixtures/api-contract.ts';
import { openDisplay } from '../fixtures/display.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** How long a run of one page may take on a busy machine. */
const RUN_MS = 40_000;

let home: string;
let sandbox: Sandbox;
let site: FixtureSite;
let job: MainJob;
let url: string;
let token: string;
let contract: Contract;

beforeAll(async () => {
  home = makeHome('api-contract');
  sandbox = await startSandbox({ pollMs: 500 });
  site = await startFixtureSite();
  site.page('/', '<h1>Hello</h1>');
  job = await startMainJob({
    sandbox,
    home,
    env: 'api',
    variables: { LBA_API_PORT: '0', LBA_API_BASIC_PER_DAY: '1' },
  });
  const owner = readOwnerFile(join(home, 'api.json'));
  if (!owner) throw new Error('the agent wrote no api.json');
  ({ url, token } = owner);
  contract = await Contract.of(url);
});

afterAll(async () => {
  await job.close();
  await site.close();
  await sandbox.close();
  removeHome(home);
});

const send = async (operationId: string, options: Values & Call = {}): Promise<Answer> =>
  contract.send(operationId, { key: token, ...options });
const script = (): object => ({ name: 'Hello', steps: [{ action: 'navigate', url: `${site.url}/` }] });
const none = newRunId();

async function ended(runId: string): Promise<Record<string, unknown>> {
  let json: Record<string, unknown> = {};
  await expect
    .poll(
      async () => {
        json = (await send('getRun', { params: { run_id: runId } })).json as Record<string, unknown>;
        return json['ended_at'];
      },
      { timeout: RUN_MS },
    )
    .not.toBeNull();
  return json;
}

async function start(body: object): Promise<string> {
  const { status, json, headers } = await send('startRun', { body });
  expect(status).toBe(201);
  const { run_id } = json as { run_id: string };
  expect(headers.location).toBe(`/api/v1/runs/${run_id}`);
  return run_id;
}

interface Artifact {
  artifact_id: number;
  content_type: string;
  size_bytes: number;
  kept: boolean;
}

/** A value of the right place and the wrong kind for any path parameter. */
const WRONG = 'x'.repeat(300);

describe('what every operation answers', () => {
  test('no key is a 401, a strange page a 403, a strange name a 421, a used-up key a 429', async () => {
    const made = await send('createKey', { body: { name: 'small', scopes: ['admin'] } });
    const { key } = made.json as { key: string };
    expect((await send('getVersion', { key })).status).toBe(200);
    for (const { operationId, isGuarded, parameters } of contract.operations.values()) {
      const params = Object.fromEntries(parameters.map(({ name }) => [name, none]));
      const statuses = [
        (await send(operationId, { params, headers: { origin: 'https://evil.example.com' } })).status,
        (await send(operationId, { params, headers: { host: 'evil.example.com' } })).status,
      ];
      if (isGuarded) {
        statuses.push((await send(operationId, { params, key: null })).status);
        statuses.push((await send(operationId, { params, key })).status);
      }
      expect(statuses, operationId).toEqual(isGuarded ? [403, 421, 401, 429] : [403, 421]);
    }
  });

  test('what cannot be read is a 400, what is too long a 413, what is no JSON a 415', async () => {
    for (const { operationId, method, parameters, responses } of contract.operations.values()) {
      const inPath = parameters.filter((each) => each.in === 'path');
      const params = Object.fromEntries(inPath.map(({ name }) => [name, WRONG]));
      if (inPath.length > 0) expect((await send(operationId, { params })).status, operationId).toBe(400);
      const query = Object.fromEntries(parameters.map(({ name }) => [name, '']));
      if (inPath.length < parameters.length) expect((await send(operationId, { query })).status).toBe(400);
      if (method === 'GET') continue;
      expect((await send(operationId, { params, body: '{"a' })).status, operationId).toBe(400);
      const long = `"${'x'.repeat(1_048_576)}"`;
      expect((await send(operationId, { params, body: long })).status, operationId).toBe(413);
      const headers = { 'content-type': 'text/plain' };
      expect((await send(operationId, { params, body: '{}', headers })).status, operationId).toBe(415);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
  });
});

describe('system, settings, keys', () => {
  test('version and health', async () => {
    expect((await send('getVersion')).json).toMatchObject({ name: 'local-browser-agent', api: 'v1' });
    expect((await send('getHealth')).json).toMatchObject({
      ok: true,
      checks: {
        worker: { state: 'working' },
        database: { ok: true },
        browser: { ok: true },
        services: {
          ok: true,
          items: [{ service: 'sfn', state: 'closed', last_error: null }, {}, {}, {}, {}],
        },
      },
    });
    expect((await send('getSummary')).json).toMatchObject({ runs: { total: 0 }, needs_person: [] });
    expect((await send('getMetrics')).text).toContain('route="/api/v1/health"');
    expect((await send('getOpenApi', { key: null })).json).toMatchObject({ openapi: '3.1.0' });
  });

  test('settings with their sources', async () => {
    const { json } = await send('listSettings');
    expect((json as { items: unknown[] }).items.length).toBeGreaterThan(30);
    expect((await send('getSetting', { params: { key: 'aws.env' } })).json).toMatchObject({
      key: 'aws.env',
      value: 'api',
      source: 'environment BROWSER_AGENT_ENV',
      applies: 'restart',
      pending_restart: false,
    });
    expect((await send('getSetting', { params: { key: 'aws.nothing' } })).status).toBe(404);
  });

  test('recording levels, with what they upload and cost, and which one counts', async () => {
    const { json } = await send('listRecordingLevels');
    expect(json).toMatchObject({
      items: [
        { level: 'NONE', kinds: [], estimate: { bytes_per_month: 0 } },
        { level: 'ERROR', kinds: [], allowed: true },
        { level: 'INFO', estimate: { from: 'default', bytes_per_session: 600_000 } },
        { level: 'DEBUG' },
        { level: 'TRACE' },
      ],
      current: { level: 'INFO', reason: 'nobody named a level' },
      cap: { level: 'TRACE', source: 'default' },
      override: null,
    });
  });

  test('changed settings count as they say, all of them or none, and not over those of somebody else', async () => {
    const body = { 'recording.default_level': 'debug', 'worker.name': 'desk', 'aws.env': 'prod' };
    const before = (await send('listSettings')).headers.etag!;
    const { json, headers } = await send('updateSettings', { body, headers: { 'if-match': before } });
    expect(json).toMatchObject({
      items: [
        { key: 'aws.env', value: 'api', applies: 'restart', overridden: true },
        { key: 'recording.default_level', value: 'DEBUG', applies: 'next run', pending_restart: false },
        { key: 'worker.name', value: 'desk', source: 'settings.yaml:4', pending_restart: true },
      ],
    });
    expect(headers.etag).not.toBe(before);
    expect((await send('updateSettings', { body, headers: { 'if-match': before } })).status).toBe(412);
    const run = await start({ script: script() });
    expect(await ended(run)).toMatchObject({ level: 'DEBUG' });
    const wrong = await send('updateSettings', {
      body: { 'recording.default_levl': 'INFO', 'worker.concurrency': 99, 'recording.keep_days': 1 },
    });
    expect(wrong.json).toMatchObject({
      status: 400,
      problems: [
        { path: '$["recording.default_levl"]', suggestion: 'recording.default_level' },
        { path: '$["worker.concurrency"]' },
      ],
    });
    const { key } = (await send('createKey', { body: { name: 'admin', scopes: ['admin'], tier: 'premium' } }))
      .json as { key: string };
    const program = { 'browser.executable_path': '/bin/sh' };
    expect((await send('updateSettings', { key, body: program })).status).toBe(400);
    expect(job.agent.audit.list({ limit: 50 })).toContainEqual(
      expect.objectContaining({
        action: 'api.updateSettings',
        result: 'ok',
        details: expect.objectContaining({
          changes: expect.objectContaining({ 'recording.default_level': { from: 'INFO', to: 'DEBUG' } }),
        }),
      }),
    );
    const back = Object.fromEntries(Object.keys(body).map((name) => [name, null]));
    expect((await send('updateSettings', { body: back })).json).toMatchObject({
      items: [{}, { value: 'INFO', source: 'default' }, { value: null, pending_restart: false }],
    });
  });

  test('keys: create, list, revoke', async () => {
    const { json } = await send('createKey', { body: { name: 'a', scopes: ['run'], tier: 'premium' } });
    const { key_id } = json as { key_id: string };
    expect((await send('listKeys')).text).toContain(key_id);
    expect((await send('revokeKey', { params: { key_id } })).json).toMatchObject({ key_id, name: 'a' });
    expect((await send('revokeKey', { params: { key_id: '000000000000' } })).status).toBe(404);
  });
});

describe('profiles', () => {
  test('create, list, get, tag, delete; one in use is a 409', async () => {
    const made = await send('createProfile', { body: { name: 'portal a', tags: ['x'] } });
    expect(made.status).toBe(201);
    expect(made.headers.location).toBe('/api/v1/profiles/portal%20a');
    expect((await send('createProfile', { body: { name: 'Portal A' } })).status).toBe(400);
    expect((await send('listProfiles')).text).toContain('portal a');
    const params = { name: 'portal a' };
    expect((await send('setProfileTags', { params, body: { tags: ['y', 'z'] } })).json).toMatchObject({
      tags: ['y', 'z'],
    });
    const { profileId } = job.agent.profiles.get('portal a');
    const lease = await job.agent.profiles.acquire(profileId, { runId: none, timeoutMs: 0 });
    expect((await send('getProfile', { params })).json).toMatchObject({ used_by_run: none });
    expect((await send('deleteProfile', { params })).status).toBe(409);
    await lease.release();
    expect((await send('deleteProfile', { params })).status).toBe(204);
    for (const operationId of ['getProfile', 'deleteProfile']) {
      expect((await send(operationId, { params })).json).toMatchObject({
        status: 404,
        error: 'BrowserAgent.ProfileNotFound',
      });
    }
    expect((await send('setProfileTags', { params, body: { tags: [] } })).status).toBe(404);
  });
});

describe('profiles beside runs', () => {
  test('change, clone, sign in, check, take along; what is in use is a 409, what is not there a 404', async () => {
    const display = await openDisplay();
    const params = { name: 'beside' };
    await send('createProfile', { body: params });
    expect((await send('updateProfile', { params, body: { description: 'x' } })).json).toMatchObject({
      description: 'x',
    });
    expect((await send('cloneProfile', { params, body: { name: 'copy' } })).status).toBe(201);
    expect((await send('getSignIn', { params })).status).toBe(404);
    expect((await send('startSignIn', { params, body: {} })).json).toMatchObject({ state: 'open' });
    expect((await send('getSignIn', { params })).status).toBe(200);
    expect((await send('finishSignIn', { params })).json).toMatchObject({ state: 'done' });
    expect((await send('finishSignIn', { params })).status).toBe(409);
    await display.close();
    expect((await send('startSignIn', { params, body: {} })).status).toBe(503);
    const check = { url: `${site.url}/`, text: 'Hello' };
    expect((await send('checkProfile', { params, body: check })).json).toMatchObject({ signed_in: true });
    const passphrase = 'long enough';
    const { status, body } = await send('exportProfile', { params, body: { passphrase } });
    expect(status).toBe(200);
    const imported = await send('importProfile', {
      query: { name: 'brought' },
      body,
      headers: {
        'content-type': 'application/octet-stream',
        'lba-passphrase': Buffer.from(passphrase).toString('base64'),
      },
    });
    expect(imported.status, imported.text).toBe(201);

    const { profileId } = job.agent.profiles.get('beside');
    const lease = await job.agent.profiles.acquire(profileId, { runId: none, timeoutMs: 0 });
    expect((await send('startSignIn', { params, body: {} })).json).toMatchObject({ state: 'waiting' });
    expect((await send('cancelSignIn', { params })).json).toMatchObject({ state: 'cancelled' });
    expect((await send('cancelSignIn', { params })).status).toBe(409);
    const inUse = await Promise.all([
      send('cloneProfile', { params, body: { name: 'other' } }),
      send('checkProfile', { params, body: {} }),
      send('exportProfile', { params, body: { passphrase } }),
    ]);
    expect(inUse.map((answer) => answer.status)).toEqual([409, 409, 409]);
    await lease.release();

    for (const [operationId, body] of [
      ['updateProfile', {}],
      ['cloneProfile', { name: 'other' }],
      ['startSignIn', {}],
      ['getSignIn', undefined],
      ['finishSignIn', undefined],
      ['cancelSignIn', undefined],
      ['checkProfile', {}],
      ['exportProfile', { passphrase }],
    ] as const) {
      const answer = await send(operationId, {
        params: { name: 'nobody' },
        ...(body === undefined ? {} : { body }),
      });
      expect(answer.status, operationId).toBe(404);
    }
  });
});

describe('scripts', () => {
  test('put, list, get, replace, delete; a script with problems is a 422 that names them', async () => {
    const params = { reference: 'hello@1.2' };
    expect((await send('putScript', { params, body: script() })).status).toBe(201);
    expect((await send('putScript', { params, body: script() })).status).toBe(200);
    expect((await send('listScripts')).json).toMatchObject({
      items: [{ reference: 'hello@1.2', name: 'hello', version: '1.2', title: 'Hello', steps: 1 }],
    });
    expect((await send('getScript', { params })).json).toEqual(script());
    const wrong = await send('putScript', { params, body: { name: 'x', steps: [{ action: 'navigat' }] } });
    expect(wrong.json).toMatchObject({
      status: 422,
      error: 'BrowserAgent.InvalidScript',
      problems: [{ path: '$.steps[0].action', suggestion: 'navigate' }],
    });
    expect((await send('getScript', { params })).json).toEqual(script());
    expect((await send('deleteScript', { params })).status).toBe(204);
    expect((await send('deleteScript', { params })).status).toBe(404);
    expect((await send('getScript', { params })).status).toBe(404);
    mkdirSync(job.agent.paths.scripts, { recursive: true });
    writeFileSync(join(job.agent.paths.scripts, 'broken.json'), '[');
    expect((await send('getScript', { params: { reference: 'broken' } })).status).toBe(422);
    await send('deleteScript', { params: { reference: 'broken' } });
  });

  test('a changed script keeps what it was, and the schema is there', async () => {
    const params = { reference: 'versioned' };
    expect((await send('listScriptVersions', { params })).status).toBe(404);
    await send('putScript', { params, body: script() });
    await send('putScript', { params, body: { ...script(), description: 'changed' } });
    await send('putScript', { params, body: { ...script(), description: 'changed' } });
    const { items } = (await send('listScriptVersions', { params })).json as {
      items: { version_id: number; current: boolean }[];
    };
    expect(items).toMatchObject([{ current: true, by: { kind: 'owner' } }, { current: false }]);
    const version = { params: { ...params, version_id: items[1]!.version_id } };
    const { text } = (await send('getScriptVersion', version)).json as { text: string };
    expect(JSON.parse(text)).toEqual(script());
    writeFileSync(join(job.agent.paths.scripts, 'versioned.json'), '{"name": "By hand", "steps": []}');
    expect((await send('listScriptVersions', { params })).json).toMatchObject({
      items: [{ current: true, by: null }, {}, {}],
    });
    await send('deleteScript', { params });
    expect((await send('listScriptVersions', { params })).json).toMatchObject({
      items: [{ current: false }, {}, {}],
    });
    expect((await send('getScriptVersion', { params: { ...params, version_id: 9e6 } })).status).toBe(404);
    expect((await send('getScriptSchema')).json).toMatchObject({ $defs: { Step: {} } });
    expect((await send('putScript', { params: { reference: 'schema' }, body: script() })).status).toBe(400);
  });

  test('validate says every problem, with line and column for a text', async () => {
    expect((await send('validateScript', { body: { script: script() } })).json).toEqual({
      valid: true,
      problems: [],
    });
    const { json } = await send('validateScript', { body: { script: '{\n  "name": "x"\n}' } });
    expect(json).toMatchObject({ valid: false, problems: [{ path: '$.steps', line: 1 }] });
  });

  test('the samples to begin with are in order', async () => {
    const { items } = (await send('listScriptSamples')).json as { items: { id: string; text: string }[] };
    expect(items.length).toBeGreaterThan(5);
    for (const { id, text } of items) {
      const { json } = await send('validateScript', { body: { script: text } });
      expect(json, id).toMatchObject({ valid: true });
    }
  });
});

describe('runs', () => {
  test('from a script to its evidence', async () => {
    const runId = await start({ script: script(), level: 'DEBUG' });
    expect(await ended(runId)).toMatchObject({
      state: 'succeeded',
      level: 'DEBUG',
      level_reason: 'asked for by owner through the API',
      steps: [{ action: 'navigate', success: true }],
      result: { success: true },
    });
    const { json } = await send('listArtifacts', { params: { run_id: runId } });
    const { items } = json as { items: Artifact[] };
    expect(items.length).toBeGreaterThan(1);
    const { artifact_id, content_type, size_bytes } = items.find((item) => item.kept)!;
    const params = { run_id: runId, artifact_id };
    const whole = await send('getArtifact', { params });
    expect(whole.status).toBe(200);
    expect(whole.headers['content-type']).toBe(content_type);
    expect(whole.body).toHaveLength(size_bytes);
    const headers = { range: 'bytes=0-9' };
    expect((await send('getArtifact', { params, headers })).status).toBe(206);
    const beyond = { range: `bytes=${size_bytes}-` };
    expect((await send('getArtifact', { params, headers: beyond })).status).toBe(416);
    const known = { 'if-none-match': whole.headers.etag! };
    expect((await send('getArtifact', { params, headers: known })).status).toBe(304);
    expect((await send('getArtifact', { params: { ...params, artifact_id: 9e6 } })).status).toBe(404);
  });

  test('from a stored script with variables, and in a profile', async () => {
    const body = {
      name: 'Stored',
      variables: { who: 'nobody' },
      steps: [{ action: 'navigate', url: `${site.url}/?{{who}}` }],
    };
    await send('putScript', { params: { reference: 'stored@2' }, body });
    await send('createProfile', { body: { name: 'mine' } });
    const runId = await start({ script: 'stored', variables: { who: 'me' }, profile: 'mine' });
    expect(await ended(runId)).toMatchObject({ state: 'succeeded', profile: 'mine', script_name: 'Stored' });
  });

  test('run again, paused at first, and made into a test', async () => {
    const params = { run_id: await start({ script: script(), level: 'ERROR' }) };
    await ended(params.run_id);
    const again = await send('runAgain', { params, body: { paused: true } });
    expect(again.status, again.text).toBe(201);
    expect(again.json).toMatchObject({ level: 'ERROR', paused: true });
    const { run_id } = again.json as { run_id: string };
    expect((await send('cancelRun', { params: { run_id } })).status).toBe(202);
    await ended(run_id);
    expect((await send('getRunAsTest', { params })).json).toMatchObject({ name: 'Hello (test)' });
    job.agent.db.prepare('UPDATE runs SET request = NULL WHERE run_id = ?').run(params.run_id);
    for (const operationId of ['runAgain', 'getRunAsTest']) {
      const body = operationId === 'runAgain' ? { body: {} } : {};
      expect((await send(operationId, { params, ...body })).status).toBe(409);
      expect((await send(operationId, { params: { run_id: none }, ...body })).status).toBe(404);
    }
  });

  test('what cannot be started is refused, and leaves no run', async () => {
    const before = (await send('listRuns')).json;
    expect((await send('startRun', { body: { script: { name: 'x' } } })).status).toBe(422);
    expect((await send('startRun', { body: { script: 'no such script' } })).status).toBe(400);
    expect((await send('startRun', { body: { script: '../settings.json' } })).status).toBe(400);
    expect((await send('startRun', { body: { script: script(), profile: 'nobody' } })).status).toBe(404);
    expect((await send('startRun', { body: { script: script(), extra: 1 } })).status).toBe(400);
    expect((await send('listRuns')).json).toEqual(before);
  });

  test('the list goes page by page, newest first, and by state, script and profile', async () => {
    const ids = async (query: Record<string, string | number>): Promise<string[]> => {
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const { json } = await send('listRuns', { query: { ...query, ...(cursor ? { cursor } : {}) } });
        const { items, next_cursor } = json as { items: { run_id: string }[]; next_cursor: string | null };
        found.push(...items.map((item) => item.run_id));
        cursor = next_cursor;
      } while (cursor !== null);
      return found;
    };
    const all = await ids({});
    expect(all.length).toBeGreaterThanOrEqual(2);
    expect(all).toEqual(all.toSorted().toReversed());
    expect(await ids({ limit: 1 })).toEqual(all);
    expect(await ids({ state: 'succeeded', script_name: 'Stored', profile: 'mine' })).toHaveLength(1);
    expect(await ids({ state: 'failed' })).toEqual([]);
    expect(await ids({ q: 'STORED', state: 'succeeded,failed', has_error: 'false' })).toHaveLength(1);
    const counted = await send('listRuns', { query: { count: 'true', limit: 1, offset: 1 } });
    expect(counted.json).toMatchObject({ total: all.length, items: [{ run_id: all[1] }] });
    for (const cursor of ['x', 'djE6eA', all[0]!]) {
      expect((await send('listRuns', { query: { cursor } })).status).toBe(400);
    }
  });

  test('cancel ends a run soon; one that has ended cannot be cancelled or resumed', async () => {
    const runId = await start({ script: { name: 'Long', steps: [{ action: 'wait', duration: 60_000 }] } });
    const params = { run_id: runId };
    expect((await send('cancelRun', { params })).status).toBe(202);
    expect(await ended(runId)).toMatchObject({
      state: 'cancelled',
      error: { name: 'BrowserAgent.Cancelled', message: 'cancelled by owner' },
    });
    expect((await send('cancelRun', { params })).status).toBe(409);
    expect((await send('resumeRun', { params })).status).toBe(409);
    for (const operationId of ['getRun', 'cancelRun', 'resumeRun', 'listArtifacts']) {
      expect((await send(operationId, { params: { run_id: none } })).status).toBe(404);
    }
  });

  test('a task that Step Functions handed over is cancelled the same way, and told so', async () => {
    const { ended: taskEnded } = await job.begin({
      name: 'Task',
      steps: [{ action: 'wait', duration: 60_000 }],
    });
    let runId = '';
    await expect
      .poll(
        async () => {
          const { json } = await send('listRuns', { query: { state: 'running', script_name: 'Task' } });
          runId = (json as { items: { run_id: string }[] }).items[0]?.run_id ?? '';
          return runId;
        },
        { timeout: RUN_MS },
      )
      .not.toBe('');
    expect((await send('getAgent')).json).toMatchObject({ tasks: [{ run_id: runId, script_name: 'Task' }] });
    await send('cancelRun', { params: { run_id: runId } });
    expect(await taskEnded).toMatchObject({ status: 'FAILED', error: 'BrowserAgent.Cancelled' });
  });
});

describe('pausing, and the live view', () => {
  test('a run is paused, stepped, watched and resumed; one that has ended is not', async () => {
    const steps = [
      { action: 'human', message: 'Please look' },
      { action: 'wait', duration: 1 },
    ];
    const params = { run_id: await start({ script: { name: 'Pause', steps } }) };
    await expect
      .poll(async () => (await send('getRun', { params })).json, { timeout: RUN_MS })
      .toMatchObject({ waiting_for_person: 'Please look' });
    expect((await send('stepRun', { params })).status).toBe(409);
    expect((await send('pauseRun', { params })).json).toMatchObject({
      paused: true,
      pause: { by: { kind: 'owner' }, standing: true },
    });
    expect((await send('stepRun', { params })).status).toBe(202);
    const ticket = await send('createLiveTicket', { params, body: { role: 'operator' } });
    expect(ticket.json).toMatchObject({ role: 'operator' });
    const reader = (await send('createKey', { body: { name: 'reader', scopes: ['read'] } })).json;
    const { key } = reader as { key: string };
    expect((await send('createLiveTicket', { params, key, body: { role: 'operator' } })).status).toBe(403);
    expect((await send('resumeRun', { params, query: { of: 'pause' } })).json).toMatchObject({
      paused: false,
    });
    expect((await send('resumeRun', { params, query: { of: 'person' } })).status).toBe(202);
    expect(await ended(params.run_id)).toMatchObject({ state: 'succeeded', pause: null });
    for (const operationId of ['pauseRun', 'stepRun', 'createLiveTicket']) {
      const body = operationId === 'createLiveTicket' ? { body: {} } : {};
      expect((await send(operationId, { params, ...body })).status).toBe(409);
      expect((await send(operationId, { params: { run_id: none }, ...body })).status).toBe(404);
    }
  });
});

describe('sessions', () => {
  test('open, send, list, get, end; what is not there is a 404, what has ended or is in use a 409', async () => {
    await send('createProfile', { body: { name: 'kept' } });
    const opened = await send('openSession', { body: { profile: 'kept', level: 'ERROR' } });
    expect(opened.status, opened.text).toBe(201);
    const { session_id } = opened.json as { session_id: string };
    expect(opened.headers.location).toBe(`/api/v1/sessions/${session_id}`);
    expect((await send('openSession', { body: { profile: 'kept' } })).status).toBe(409);
    expect((await send('openSession', { body: { profile: 'nobody' } })).status).toBe(404);
    const params = { session_id };
    const sent = await send('sendMessage', {
      params,
      body: { step: { action: 'navigate', url: `${site.url}/` } },
    });
    expect(sent.status, sent.text).toBe(202);
    const { message_id } = sent.json as { message_id: string };
    const query = { wait_seconds: 40 };
    const message = await send('getMessage', { params: { ...params, message_id }, query });
    expect(message.json).toMatchObject({ state: 'succeeded', result: { success: true } });
    expect((await send('sendMessage', { params, body: { script: { name: 'x' } } })).status).toBe(422);
    expect((await send('sendMessage', { params, body: {} })).status).toBe(400);
    expect((await send('listMessages', { params })).text).toContain(message_id);
    expect((await send('listSessions', { query: { state: 'open' } })).text).toContain(session_id);
    expect((await send('getSession', { params })).json).toMatchObject({ state: 'open', level: 'ERROR' });
    expect((await send('getMessage', { params: { ...params, message_id: none } })).status).toBe(404);
    expect((await send('endSession', { params })).json).toMatchObject({ ended: { reason: 'closed' } });
    const step = { step: { action: 'wait', duration: 1 } };
    expect((await send('sendMessage', { params, body: step })).status).toBe(409);
    for (const operationId of ['getSession', 'endSession', 'listMessages', 'sendMessage']) {
      const body = operationId === 'sendMessage' ? { body: step } : {};
      expect((await send(operationId, { params: { session_id: none }, ...body })).status).toBe(404);
    }
  });
});

describe('events', () => {
  test('of the runs above are in the history, page by page in both directions, and by type and run', async () => {
    const { json } = await send('listEvents', { query: { types: 'step.finished', limit: 1 } });
    const { items, next_cursor, newest_id } = json as {
      items: { id: number; correlation_id: string }[];
      next_cursor: string;
      newest_id: number;
    };
    expect(newest_id).toBeGreaterThanOrEqual(items[0]!.id);
    const next = await send('listEvents', {
      query: { types: 'step.finished', limit: 1, cursor: next_cursor },
    });
    expect((next.json as { items: { id: number }[] }).items[0]!.id).toBeLessThan(items[0]!.id);
    const run_id = items[0]!.correlation_id;
    const { json: all } = await send('listEvents', {
      query: { run_id, types: 'run.*,step.*', order: 'oldest_first' },
    });
    const types = (all as { items: { type: string }[] }).items.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(['run.queued', 'run.started']);
    expect(types).toContain('step.finished');
    expect(types.at(-1)).toBe('run.finished');
    expect((await send('listEvents', { query: { types: 'run.begun' } })).status).toBe(400);
    expect((await send('listEvents', { query: { cursor: 'djE6eA' } })).status).toBe(400);
  });

  test('are followed as server-sent events, from any place', async () => {
    const { status, text } = await send('followEvents', { query: { after: 0 } });
    expect(status).toBe(200);
    expect(text).toMatch(/^retry: 2000\nid: 0\n\n/);
    const headers = { 'last-event-id': 'x' };
    expect((await send('followEvents', { headers })).status).toBe(400);
  });

  test('are followed over a WebSocket; who does not ask for one is told so', async () => {
    const operation = contract.operations.get('openEventSocket')!;
    expect((await send('openEventSocket')).status).toBe(426);
    const socket = new WebSocket(`${url.replace('http', 'ws')}${operation.path}`, [
      'lba.events.v1',
      `bearer.${token}`,
    ]);
    const opened = Promise.withResolvers<void>();
    socket.addEventListener('open', () => opened.resolve());
    socket.addEventListener('error', () => opened.reject(new Error('no socket')));
    await opened.promise;
    expect(socket.protocol).toBe('lba.events.v1');
    const none = Buffer.alloc(0);
    contract.check(operation, { status: 101, headers: {}, body: none, text: '', json: undefined });
    socket.close();
  });
});

describe('the log', () => {
  test('is read, followed, and part of the diagnostics', async () => {
    expect((await send('listLog', { query: { level: 'warn', limit: 5 } })).status).toBe(200);
    expect((await send('listLog', { query: { cursor: 'x' } })).status).toBe(400);
    expect((await send('followLog')).text).toMatch(/^retry: 2000\n\n/);
    expect((await send('followLog', { query: { level: 'loud' } })).status).toBe(400);
    expect((await send('getDiagnostics')).headers['content-type']).toBe('application/zip');
  });
});

describe('uploads', () => {
  test('what is on its way, counted, by run and page by page', async () => {
    const { json } = await send('listUploads', { query: { limit: 1 } });
    const { items, next_cursor } = json as { items: { run_id: string }[]; next_cursor: string };
    const run_id = items[0]!.run_id;
    expect((await send('listUploads', { query: { limit: 1, cursor: next_cursor } })).json).not.toEqual(json);
    const counts = (await send('countUploads', { query: { run_id } })).json as Record<string, number>;
    expect(counts['pending']! + counts['done']!).toBeGreaterThan(0);
    expect((await send('retryUploads', { body: { run_id } })).status).toBe(200);
  });
});

describe('the setup', () => {
  test('how far it is, what the wizard saved, and how one can sign in', async () => {
    expect((await send('getSetup')).json).toMatchObject({ mode: 'aws', configured: true, progress: {} });
    const progress = { step: 2 };
    expect((await send('saveSetupProgress', { body: { progress } })).json).toMatchObject({ progress });
    const { json } = await send('listSignIns');
    expect((json as { items: object[] }).items).toContainEqual(expect.objectContaining({ kind: 'sandbox' }));
  });

  test('fetching and checking answer with what they did, well or not', async () => {
    const body = { environment: 'api', sign_in: { kind: 'profile', profile: 'no-such-profile' } };
    expect((await send('fetchSetup', { body })).json).toMatchObject({ ok: false, values: [] });
    const checks = await send('checkSetup', { body: { groups: ['machine', 'browser'] } });
    expect(checks.json).toMatchObject({ ok: true });
  });

  test('browsers are listed, and one is fetched from where the owner says', async () => {
    expect((await send('listBrowsers')).json).toMatchObject({ problem: null, install: null });
    await send('updateSettings', { body: { 'browser.download_url': 'http://127.0.0.1:1' } });
    const { json } = await send('installBrowser', { body: { browser: 'chrome' } });
    expect(json).toMatchObject({ state: 'running' });
    await expect
      .poll(async () => (await send('listBrowsers')).json, { timeout: RUN_MS })
      .toMatchObject({ install: { state: 'failed' } });
  });

  test('a test run is a run as others', async () => {
    const { json } = await send('startTestRun', { body: { script: 'first-run', level: 'INFO' } });
    const { run_id } = json as { run_id: string };
    expect(await ended(run_id)).toMatchObject({ state: 'succeeded', level: 'INFO' });
  });
});

describe('the agent', () => {
  test('pauses and resumes', async () => {
    expect((await send('pauseAgent')).json).toMatchObject({ state: 'paused' });
    expect((await send('resumeAgent')).json).toMatchObject({ state: 'working' });
  });

  test('where no activity is worked for, there is nothing to steer', async () => {
    const other = await openTestApi();
    for (const operationId of ['pauseAgent', 'resumeAgent', 'drainAgent', 'restartAgent']) {
      const { path, method } = contract.operations.get(operationId)!;
      const answer = await call(other.api.url, method, path, { key: other.api.token });
      expect(answer.status).toBe(409);
      contract.check(contract.operations.get(operationId)!, answer);
    }
    await other.close();
  });

  test('starts anew where its process can do that', async () => {
    const again = makeHome('api-again');
    const variables = { PATH: process.env['PATH'] ?? '', LBA_API_PORT: '0' };
    const ready = Promise.withResolvers<Life>();
    const onReady = (life: Life): void => ready.resolve(life);
    const loop = keepServing({ home: again, env: variables, log: silentLogger, keepWarm: false, onReady });
    const { api } = (await ready.promise).serving;
    const operation = contract.operations.get('restartAgent')!;
    const answer = await call(api!.url, 'POST', operation.path, { key: api!.token });
    expect(answer.status).toBe(202);
    contract.check(operation, answer);
    await loop.stop({ deadlineMs: 0 });
    await loop.done;
    removeHome(again);
  });

  test('drains: begins nothing new, finishes the runs of the API, then ends and leaves no key behind', async () => {
    const runId = await start({
      script: { name: 'Ask', steps: [{ action: 'human', message: 'Please look' }] },
    });
    const params = { run_id: runId };
    await expect
      .poll(async () => (await send('getRun', { params })).json, { timeout: RUN_MS })
      .toMatchObject({ waiting_for_person: 'Please look' });
    const session = (await send('openSession', { body: {} })).json as { session_id: string };
    expect((await send('drainAgent')).status).toBe(202);
    expect((await send('openSession', { body: {} })).status).toBe(503);
    const past = job.agent.runs.list({ state: 'succeeded', scriptName: 'Stored', limit: 1 })[0]!.run_id;
    expect((await send('runAgain', { params: { run_id: past }, body: {} })).status).toBe(503);
    const step = { step: { action: 'wait', duration: 1 } };
    const toSession = { params: { session_id: session.session_id }, body: step };
    expect((await send('sendMessage', toSession)).status).toBe(503);
    expect((await send('startRun', { body: { script: script() } })).json).toMatchObject({
      status: 503,
      error: 'BrowserAgent.Draining',
    });
    for (const operationId of ['pauseAgent', 'resumeAgent']) {
      expect((await send(operationId)).status).toBe(409);
    }
    expect((await send('startTestRun', { body: { script: 'first-run' } })).status).toBe(409);
    expect((await send('resumeRun', { params })).status).toBe(202);
    await job.done;
    expect(job.agent.runs.get(runId)).toMatchObject({ state: 'succeeded' });
    expect(job.agent.sessions.store.get(session.session_id)).toMatchObject({ end_reason: 'agent_stopped' });
    expect(existsSync(join(home, 'api.json'))).toBe(false);
    await expect(call(url, 'GET', '/api/v1/version')).rejects.toThrow();
  });
});

test('with the tests above every operation was called, and every status met that it declares', () => {
  const missing = [...contract.operations.values()].flatMap(
    ({ operationId, responses, parameters, method, isGuarded }) => {
      const canBeWrong = parameters.length > 0 || method !== 'GET';
      return Object.keys(responses)
        .map(Number)
        .filter((status) => status !== 500)
        .filter((status) => status !== 400 || canBeWrong)
        .filter((status) => isGuarded || (status !== 401 && status !== 429))
        .filter((status) => !contract.met.get(operationId)?.has(status))
        .map((status) => `${operationId} ${status}`);
    },
  );
  expect(missing).toEqual([]);
});
