/**
 * Secrets planted everywhere a secret can be, one real run at TRACE with everything on, and then a look into
 * everything that the agent shows, sends or keeps: none of them is there, in no form.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import { gzipSync } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { openLogFile, type LogFile } from '../../agent/base/log-file.ts';
import { createLogger } from '../../agent/base/log.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { vaultNameOf } from '../../agent/config/script-secrets.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { startSandbox, type Sandbox } from '../../agent/sandbox/index.ts';
import { call, type Answer } from '../fixtures/api.ts';
import { Contract, type Operation } from '../fixtures/api-contract.ts';
import { Canaries } from '../fixtures/canaries.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../fixtures/otlp-receiver.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** A run with a full video on a busy machine. */
const RUN_MS = 60_000;
/** A stream of events is read for so long: it gives its history at once. */
const STREAM_MS = 1_000;
/** Where secrets are kept on purpose: vault, owner's key, and what the browser itself keeps of a profile. */
const KEPT_ON_PURPOSE = ['credentials.json', 'api.json', 'profiles', 'temporary'];

const canaries = new Canaries();
let home: string;
let sandbox: Sandbox;
let site: FixtureSite;
let socket: WebSocketServer;
let collector: OtlpReceiver;
let job: MainJob;
let logFile: LogFile;
let sink: number;
let url: string;
let token: string;
let contract: Contract;

/** Letters and digits, which every escaping leaves alone, between signs that none does. */
function plant(name: string): string {
  const core = `Cnry${randomBytes(9).toString('hex')}`;
  const value = `q"${core}+/ä`;
  canaries.add(name, value, core);
  return value;
}

/** Of letters and digits alone: for addresses and headers. */
function plantPlain(name: string): string {
  const value = `Cnry${randomBytes(9).toString('hex')}`;
  canaries.add(name, value);
  return value;
}

const scriptSecret = plant('script secret of Secrets Manager');
const vaultSecret = plant('script secret of the vault');
const prefilled = plant('value of a password field');
const sensitive = plant('field marked sensitive');
const cookie = plantPlain('session cookie');
const bearer = plantPlain('bearer token in the console');
const queryToken = plantPlain('access token in an address');
const answered = plantPlain('token in a JSON answer');
const header = plantPlain('token in a header of an answer');
const framed = plantPlain('token in a frame of a web socket');
const userInfo = plantPlain('password in an address');
const secretAddress = `http://someone:${plantPlain('password in a secret address')}@127.0.0.1:1/?token=${plantPlain('token in a secret address')}`;
const otlpHeader = plantPlain('header for the collector');
const sessionToken = plantPlain('AWS session token');

beforeAll(async () => {
  home = makeHome('canaries');
  sandbox = await startSandbox({ pollMs: 500 });
  site = await startFixtureSite();
  socket = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  socket.on('connection', (client) => client.send(JSON.stringify({ access_token: framed })));
  await once(socket, 'listening');
  collector = await startOtlpReceiver();
  await sandbox.call('secretsmanager', 'CreateSecret', { Name: 'portal', SecretString: scriptSecret });
  const vault = new FileVault(home);
  await vault.set(vaultNameOf('local'), vaultSecret);
  await vault.set(vaultNameOf('address'), secretAddress);
  await vault.set(vaultNameOf('otlp'), otlpHeader);
  sink = openSync(devNull, 'w');
  logFile = openLogFile({
    path: homePaths(home).logFile,
    maxSizeBytes: 1e8,
    maxFiles: 2,
    onProblem: (message) => expect.fail(message),
  });
  job = await startMainJob({
    sandbox,
    home,
    env: 'canary',
    log: createLogger({ level: 'trace', to: sink, file: logFile }),
    sessionToken,
    variables: {
      LBA_API_PORT: '0',
      LBA_RECORDING_KEEP_LEVEL: 'TRACE',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key={{secret:otlp}}',
    },
  });
  canaries.add('AWS secret access key', job.seeded.accessKey.secretAccessKey);
  const owner = readOwnerFile(homePaths(home).api)!;
  ({ url, token } = owner);
  canaries.add('key of the owner', token);
  contract = await Contract.of(url);
  buildSite();
});

afterAll(async () => {
  await job.close();
  await logFile.close();
  closeSync(sink);
  await collector.close();
  for (const client of socket.clients) client.terminate();
  socket.close();
  await site.close();
  await sandbox.close();
  removeHome(home);
});

/** A sign-in page that does with secrets what pages do: says them, sends them, throws them, shows them. */
function buildSite(): void {
  site.page('/login', (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'set-cookie': `session=${cookie}; Path=/`,
    });
    response.end(`<!doctype html><title>Sign in</title>
      <input id="user"><input id="note"><input id="pin">
      <input id="password" type="password">
      <input id="old" type="password" value="${prefilled.replaceAll('"', '&quot;')}">
      <button id="go">go</button>
      <a id="next" href="/home?access_token=${queryToken}">next</a>
      <p id="shown"></p>
      <img alt="" src="http://someone:${userInfo}@127.0.0.1:1/pixel.png?token=${queryToken}">
      <script>
        go.onclick = async () => {
          shown.textContent = 'Hello ' + password.value;
          shown.dataset.note = note.value;
          localStorage.setItem('kept', password.value);
          console.error('said ' + password.value + ' ' + note.value + ' ' + pin.value);
          console.log('Authorization: Bearer ${bearer}');
          setTimeout(() => { throw new Error('bad ' + password.value); });
          await fetch('/echo?password=' + encodeURIComponent(password.value), {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: 'Bearer ${bearer}' },
            body: JSON.stringify({ password: password.value, note: btoa(unescape(encodeURIComponent(note.value))) }),
          });
          await fetch('http://127.0.0.1:1/?token=${queryToken}&said=' + encodeURIComponent(note.value)).catch(() => {});
          const ws = new WebSocket('ws://127.0.0.1:${(socket.address() as AddressInfo).port}/?token=${queryToken}');
          await new Promise((done) => {
            ws.onmessage = ({ data }) => {
              ws.send(JSON.stringify({ ...JSON.parse(data), said: password.value + note.value }));
              done();
            };
          });
          document.title = 'done';
          document.body.append('All sent');
        };
      </script>`);
  });
  site.page('/echo', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-auth-token': header });
      response.end(JSON.stringify({ youSaid: Buffer.concat(chunks).toString(), access_token: answered }));
    });
  });
  site.page('/home', '<h1>Welcome</h1>');
}

const css = (value: string): object => ({ strategy: 'css', value });

const script = (): object => ({
  name: 'Canaries',
  session: { recording_level: 'TRACE' },
  steps: [
    { action: 'navigate', url: `${site.url}/login` },
    { action: 'fill', locator: css('#user'), value: 'demo' },
    { action: 'fill', locator: css('#note'), value: '{{secret:local}}' },
    { action: 'fill', locator: css('#password'), value: '{{secret:portal}}' },
    { action: 'fill', locator: css('#pin'), value: '{{pin}}', sensitive: true },
    { action: 'click', locator: css('#go') },
    { action: 'assert', condition: { text_visible: 'Hello' } },
    { action: 'assert', condition: { text_visible: 'All sent' } },
    {
      action: 'extract_dom',
      extractions: [{ name: 'greeting', strategy: 'css', selector: '#shown' }],
    },
    { action: 'screenshot', locator: css('#old') },
    { action: 'click', locator: css('#next') },
    { action: 'assert', condition: { text_visible: 'Welcome' } },
    { action: 'navigate', url: '{{secret:address}}' },
  ],
});

async function ended(runId: string): Promise<{ state: string }> {
  let run = { state: '', ended_at: null };
  await expect
    .poll(
      async () => {
        run = (await call(url, 'GET', `/api/v1/runs/${runId}`, { key: token })).json as typeof run;
        return run.ended_at;
      },
      { timeout: RUN_MS },
    )
    .not.toBeNull();
  return run;
}

test('the look finds what is there, in any form', () => {
  const look = new Canaries();
  look.add('x', 'q"Cnry0123456789+/ä', 'Cnry0123456789');
  const coded = (before: string): string => Buffer.from(`${before}q"Cnry0123456789+/ä`).toString('base64');
  const forms = [
    'so Cnry0123456789 is',
    coded(''),
    coded('1'),
    coded('12'),
    encodeURIComponent('q"Cnry0123456789+/ä'),
    Buffer.from('Cnry0123456789').toString('hex'),
    Buffer.from('Cnry0123456789', 'utf16le'),
    gzipSync('Cnry0123456789'),
    Buffer.from(zipSync({ 'a.txt': Buffer.from('Cnry0123456789') })),
  ];
  expect(forms.map((form) => look.in('here', form).length > 0)).toEqual(forms.map(() => true));
  expect(look.in('here', 'nothing of it')).toEqual([]);
});

test('what is planted as a secret is seen nowhere again', async () => {
  // Through the API, with a key, from a stored script.
  const made = await call(url, 'POST', '/api/v1/keys', {
    key: token,
    body: { name: 'canary', scopes: ['admin'], tier: 'premium' },
  });
  const { key } = made.json as { key: string };
  canaries.add('API key', key, key.slice(17));
  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    call(url, method, `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });
  const whole = { ...script(), variables: { pin: { type: 'string', required: true } } };
  expect((await send('PUT', '/scripts/canaries', whole)).status).toBe(201);
  await send('POST', '/profiles', { name: 'portal' });
  const started = await send('POST', '/runs', {
    script: 'canaries',
    level: 'TRACE',
    profile: 'portal',
    variables: { pin: sensitive },
  });
  const { run_id } = started.json as { run_id: string };
  expect(await ended(run_id)).toMatchObject({ state: 'failed' });
  // And as a task of Step Functions, without what only the task's own input would hold.
  const task = await job.task({
    tool_input: { script: 'canaries', variables: { pin: '1234' } },
    recording_level: 'TRACE',
  });
  expect(task).toMatchObject({ status: 'FAILED', error: 'BrowserAgent.NavigationFailed' });
  await send('PATCH', '/settings', { 'telemetry.otlp_headers': `x-api-key=${otlpHeader}` });
  await send('PATCH', '/settings', { 'telemetry.otlp_headers': null });
  await expect.poll(() => job.agent.uploads.status(), { timeout: RUN_MS }).toMatchObject({ pending: 0 });

  const seen = [
    ...canaries.in('result of the task', JSON.stringify(task)),
    ...(await seenInAnswers(run_id, key)),
    ...(await seenInS3()),
  ];
  await job.close();
  await logFile.close();
  expect(collector.received.length).toBeGreaterThan(1);
  seen.push(
    ...canaries.inFolder(home, KEPT_ON_PURPOSE),
    ...collector.received.flatMap(({ path, text }) => canaries.in(`collector ${path}`, text)),
  );
  expect([...new Set(seen)].sort()).toEqual([]);
});

/** Every GET of the document, with what it can be asked for; and the metrics, which are one of them. */
async function seenInAnswers(runId: string, key: string): Promise<string[]> {
  const { json } = await call(url, 'GET', `/api/v1/runs/${runId}/artifacts`, { key });
  const artifacts = (json as { items: { artifact_id: number }[] }).items;
  expect(artifacts.length).toBeGreaterThan(20);
  const known: Record<string, string | number> = {
    run_id: runId,
    reference: 'canaries',
    name: 'portal',
    key: 'telemetry.otlp_headers',
  };
  const asked: string[] = [];
  const seen: string[] = [];
  for (const operation of contract.operations.values()) {
    if (operation.method !== 'GET') continue;
    const inPath = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name);
    const all = inPath.includes('artifact_id') ? artifacts.map(({ artifact_id }) => artifact_id) : [0];
    for (const artifact_id of all) {
      const values: Record<string, string | number> = { ...known, artifact_id };
      const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) =>
        encodeURIComponent(String(values[name] ?? 'none')),
      );
      const { status, bytes } = await get(operation, path, key);
      if (status === 200) asked.push(operation.operationId);
      seen.push(...canaries.in(`${operation.operationId} (${path.split('/').at(-1)})`, bytes));
    }
  }
  expect(asked).toEqual(
    expect.arrayContaining([
      'getRun',
      'getRunAsTest',
      'getSummary',
      'getDiagnostics',
      'listLog',
      'followLog',
      'listScriptVersions',
      'getProfile',
      'listRuns',
      'getArtifact',
      'getScript',
      'getSetting',
      'listSettings',
      'listUploads',
      'listKeys',
      'getMetrics',
      'getHealth',
      'listEvents',
    ]),
  );
  return seen;
}

async function get(
  operation: Operation,
  path: string,
  key: string,
): Promise<{ status: number; bytes: Buffer }> {
  const isStream = operation.responses['200']?.content?.['text/event-stream'] !== undefined;
  if (!isStream) {
    const answer = await call(url, 'GET', path, { key });
    return { status: answer.status, bytes: answer.body };
  }
  const chunks: Buffer[] = [];
  const response = await fetch(`${url}${path}?after=0`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(STREAM_MS),
  });
  try {
    for await (const chunk of response.body!) chunks.push(Buffer.from(chunk));
  } catch {
    // The time is over.
  }
  expect(chunks.length).toBeGreaterThan(0);
  return { status: response.status, bytes: Buffer.concat(chunks) };
}

/** Every object, its name and its metadata. */
async function seenInS3(): Promise<string[]> {
  const s3 = await job.agent.clients.s3();
  const { bucket: Bucket } = job.seeded;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents.map(({ Key }) => Key!.split('/').at(-1))).toEqual(
    expect.arrayContaining(['trace.zip', 'network.har', 'manifest.json', 'video.webm']),
  );
  const seen: string[] = [];
  const logs: string[] = [];
  for (const { Key = '' } of Contents) {
    const object = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    const place = `s3 ${Key.split('/').slice(2).join('/')}`;
    const bytes = Buffer.from(await object.Body!.transformToByteArray());
    if (Key.endsWith('.har')) logs.push(bytes.toString());
    seen.push(
      ...canaries.in(place, bytes),
      ...canaries.in(`${place} (name and metadata)`, JSON.stringify([Key, head.Metadata])),
    );
  }
  // What carried the secrets is there, masked: requests, answers with their bodies, frames.
  expect(logs).toHaveLength(2);
  for (const part of ['"authorization"', 'youSaid', '"access_token', '_webSocketMessages', '/pixel.png']) {
    expect(logs[0]).toContain(part);
  }
  return seen;
}
