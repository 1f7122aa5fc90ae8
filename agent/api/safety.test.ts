/** Each promise of "safe by default", attacked. */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { newRunId } from '../base/ids.ts';
import { readOwnerFile } from './owner-file.ts';

const FRIEND = 'https://tools.example.com';

let api: TestApi;
let friendly: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  friendly = await openTestApi({ variables: { LBA_API_ALLOWED_ORIGINS: FRIEND } });
});

afterAll(async () => {
  await Promise.all([api.close(), friendly.close()]);
});

describe('where it listens', () => {
  test('on loopback alone when nothing is set', () => {
    expect(new URL(api.api.url).hostname).toBe('127.0.0.1');
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'agent.example.com'])(
    '%s is refused without TLS',
    async (host) => {
      await expect(openTestApi({ variables: { LBA_API_HOST: host } })).rejects.toThrow(/there is no TLS/);
    },
  );

  test('a certificate without its key, or that is not there, is refused', async () => {
    await expect(openTestApi({ variables: { LBA_API_TLS_CERT_FILE: 'cert.pem' } })).rejects.toThrow(
      /needs both/,
    );
    const variables = { LBA_API_TLS_CERT_FILE: 'no-cert.pem', LBA_API_TLS_KEY_FILE: 'no-key.pem' };
    await expect(openTestApi({ variables })).rejects.toThrow(/cannot be read/);
  });

  test('a port that was set and is taken is refused in so many words', async () => {
    const { port } = new URL(api.api.url);
    await expect(openTestApi({ variables: { LBA_API_PORT: port } })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}`,
    );
  });
});

describe('Host', () => {
  test.each([
    'evil.example.com',
    'evil.example.com:80',
    'localhost.evil.com',
    '127.0.0.1.evil.com',
    '127.0.0.1@evil.com',
    '192.0.2.1',
    '[::2]',
  ])('a request for %j is refused, key or not: DNS rebinding', async (host) => {
    for (const path of ['/version', '/openapi.json', '/docs', '/nothing']) {
      const { status, text } = await api.call('GET', path, { headers: { host } });
      expect([400, 421]).toContain(status);
      expect(text).not.toContain('0.0.0-test');
    }
  });

  test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('%s is this machine', async (name) => {
    const { port } = new URL(api.api.url);
    expect((await api.call('GET', '/version', { headers: { host: `${name}:${port}` } })).status).toBe(200);
  });

  test('the host of an allowed origin is a name of this machine too', async () => {
    const host = new URL(FRIEND).host;
    expect((await friendly.call('GET', '/version', { headers: { host } })).status).toBe(200);
    expect((await api.call('GET', '/version', { headers: { host } })).status).toBe(421);
  });
});

describe('Origin', () => {
  test.each(['https://evil.example.com', 'http://localhost:1', 'null', 'http://127.0.0.1', 'file://', ''])(
    'a request from a page of %j is refused before its key is looked at',
    async (origin) => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status, headers } = await api.call(method, '/runs', { headers: { origin } });
        expect(status).toBe(403);
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    },
  );

  test("the API's own page may ask", async () => {
    expect((await api.call('GET', '/version', { headers: { origin: api.api.url } })).status).toBe(200);
  });

  test('a listed origin may, with CORS, and no other one', async () => {
    const preflight = await friendly.call('OPTIONS', '/runs', {
      key: null,
      headers: {
        origin: FRIEND,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe(FRIEND);
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const read = await friendly.call('GET', '/version', { headers: { origin: FRIEND } });
    expect(read.status).toBe(200);
    expect(read.headers['access-control-allow-origin']).toBe(FRIEND);
    for (const origin of ['https://evil.example.com', `${FRIEND}.evil.com`, 'http://tools.example.com']) {
      expect((await friendly.call('GET', '/version', { headers: { origin } })).status).toBe(403);
    }
  });
});

describe('what a request may be', () => {
  test('no cookie, no query, no basic authentication takes the place of the key', async () => {
    const key = api.api.token;
    const basic = Buffer.from(`owner:${key}`).toString('base64');
    for (const headers of [
      { cookie: `key=${key}` },
      { authorization: `Basic ${basic}` },
      { 'x-api-key': key },
    ]) {
      const { status } = await api.call('GET', `/version?key=${key}`, { key: null, headers });
      expect(status).toBe(401);
    }
    expect((await api.call('GET', '/version')).headers['set-cookie']).toBeUndefined();
  });

  test('a body above 1 MiB is refused', async () => {
    const body = JSON.stringify({ script: 'x'.repeat(1_048_576) });
    const { status, headers } = await api.call('POST', '/scripts/validate', { body });
    expect(status).toBe(413);
    expect(headers['content-type']).toContain('application/problem+json');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'what a form of a strange page can send (%s) is no JSON',
    async (type) => {
      const { status } = await api.call('POST', '/scripts/validate', {
        body: '{"script":{}}',
        headers: { 'content-type': type },
      });
      expect(status).toBe(415);
    },
  );

  test.each([
    '{"script":{"__proto__":{"polluted":1}}}',
    '{"script":{"constructor":{"prototype":{}}}}',
    '{"a',
    '',
  ])('the body %j is refused', async (body) => {
    const { status } = await api.call('POST', '/scripts/validate', { body });
    expect(status).toBe(400);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('JSON nested without end is refused, also as text', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const body of [`{"script":{"a":${deep}}}`, JSON.stringify({ script: deep })]) {
      expect((await api.call('POST', '/scripts/validate', { body })).status).toBe(400);
    }
    const body = `{"script":{"name":"x","steps":${deep}}}`;
    expect((await api.call('POST', '/runs', { body })).status).toBe(400);
    expect((await api.call('PUT', '/scripts/x', { body })).status).toBe(400);
  });
});

describe('what an answer says', () => {
  test('security headers are on every answer, problems too', async () => {
    for (const [path, key] of [
      ['/version', api.api.token],
      ['/version', null],
      ['/nothing', null],
    ] as const) {
      const { headers } = await api.call('GET', path, { key });
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('SAMEORIGIN');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });

  test('the page of the document loads nothing from elsewhere', async () => {
    const page = await api.call('GET', '/docs', { key: null });
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    const named = [...page.text.matchAll(/(?:src|href)="(?<path>[^"]+)"/g)].map(
      (match) => match.groups!['path']!,
    );
    expect(named).toHaveLength(3);
    for (const path of named) {
      expect(path).toMatch(/^docs\/[\w.-]+$/);
      expect((await api.call('GET', `/${path}`, { key: null })).status).toBe(200);
    }
  });

  test('a bug is a 500 that tells nothing of the inside', async () => {
    const broken = await openTestApi();
    broken.agent.db.exec('ALTER TABLE api_keys RENAME TO hidden_keys');
    const { status, text, json } = await broken.call('GET', '/keys');
    expect(status).toBe(500);
    expect((json as { error: string }).error).toBe('BrowserAgent.Internal');
    expect(text).not.toMatch(/api_keys|SQL|no such/i);
    await broken.close();
  });
});

describe('artifacts', () => {
  const runId = newRunId();
  const bytes = randomBytes(10_000);
  let path: string;
  let id: number;
  const at = (artifact: number | string): string => `/runs/${runId}/artifacts/${artifact}`;
  const add = (key: string, file: string): number => {
    api.agent.runs.addArtifact(runId, {
      kind: 'file',
      key,
      path: file,
      contentType: 'image/jpeg',
      sizeBytes: bytes.length,
      sha256: 'ab'.repeat(32),
      upload: false,
      keep: true,
      masked: 0,
      now: 1,
    });
    return api.agent.runs.artifacts(runId).find((row) => row.key === key)!.artifact_id;
  };

  beforeAll(() => {
    api.agent.runs.create({
      runId,
      taskId: null,
      scriptName: 'S',
      script: '{}',
      level: { level: 'INFO', reason: 'test' },
      profile: null,
      owner: api.agent.processes.self,
      now: 1,
    });
    path = join(api.home, 'odd %2e name.jpg');
    writeFileSync(path, bytes);
    id = add('files/odd %2e "näme".jpg', path);
  });

  test('the whole file, with its type, its name and nothing that could run', async () => {
    const { status, headers, body } = await api.call('GET', at(id));
    expect(status).toBe(200);
    expect(body.equals(bytes)).toBe(true);
    expect(headers['content-type']).toBe('image/jpeg');
    expect(headers['content-length']).toBe('10000');
    expect(headers['accept-ranges']).toBe('bytes');
    expect(headers['content-disposition']).toBe(
      `attachment; filename="odd__2e__n_me_.jpg"; filename*=UTF-8''odd%20%252e%20%22n%C3%A4me%22.jpg`,
    );
    expect(headers['content-security-policy']).toBe("sandbox; default-src 'none'");
    expect(headers['repr-digest']).toMatch(/^sha-256=:.+:$/);
  });

  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=9900-', 9_900, 10_000],
    ['bytes=-1', 9_999, 10_000],
    ['bytes=9000-99999', 9_000, 10_000],
  ])('the range %s is a 206 with those bytes', async (range, from, to) => {
    const { status, headers, body } = await api.call('GET', at(id), { headers: { range } });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${from}-${to - 1}/10000`);
    expect(body.equals(bytes.subarray(from, to))).toBe(true);
  });

  test('a range beyond the end is a 416 that says how long the file is', async () => {
    const { status, headers, json } = await api.call('GET', at(id), { headers: { range: 'bytes=10000-' } });
    expect(status).toBe(416);
    expect(headers['content-range']).toBe('bytes */10000');
    expect((json as { error: string }).error).toBe('BrowserAgent.InvalidInput');
  });

  test('who has it already is told so', async () => {
    const { headers } = await api.call('GET', at(id));
    const again = await api.call('GET', at(id), { headers: { 'if-none-match': headers.etag! } });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
  });

  test.each([
    '../../../agent.db',
    '..%2f..%2fagent.db',
    '%2e%2e%2fagent.db',
    '1/../../x',
    'agent.db',
    '1e9',
    '-1',
    '0',
    '1.5',
    '%00',
    '1%00',
  ])('a path instead of an id (%s) reaches no file', async (artifact) => {
    const { status, text } = await api.call('GET', at(artifact));
    expect([400, 404]).toContain(status);
    expect(text).not.toContain('SQLite');
  });

  test('a link to another file, a folder and a file that is gone are not there', async () => {
    const link = join(api.home, 'link.jpg');
    symlinkSync(join(api.home, 'agent.db'), link);
    const gone = join(api.home, 'gone.jpg');
    writeFileSync(gone, 'x');
    const ids = [add('link.jpg', link), add('folder', api.home), add('gone.jpg', gone)];
    rmSync(gone);
    for (const artifact of ids) expect((await api.call('GET', at(artifact))).status).toBe(404);
  });

  test("one run's artifact is not another run's", async () => {
    const other = newRunId();
    api.agent.runs.create({
      runId: other,
      taskId: null,
      scriptName: 'S',
      script: '{}',
      level: { level: 'INFO', reason: 'test' },
      profile: null,
      owner: api.agent.processes.self,
      now: 1,
    });
    expect((await api.call('GET', `/runs/${other}/artifacts/${id}`)).status).toBe(404);
  });
});

describe('stored scripts', () => {
  test.each([
    '..%2fsettings',
    '%2e%2e%2f%2e%2e%2fx',
    'a%2fb',
    '.hidden',
    'x.json',
    'a%00',
    'a%5cb',
    'a@..%2fb',
    'a@b@c',
    'x%20',
    'x.',
  ])('the name %s is refused', async (name) => {
    const body = { name: 'S', steps: [{ action: 'wait', duration: 1 }] };
    expect((await api.call('PUT', `/scripts/${name}`, { body })).status).toBe(400);
    for (const method of ['GET', 'DELETE']) {
      expect((await api.call(method, `/scripts/${name}`)).status).toBe(400);
    }
  });
});

describe("the owner's key", () => {
  test('is in a file for this user alone, works, is new at each start, and is gone at the end', async () => {
    const first = await openTestApi();
    const file = join(first.home, 'api.json');
    first.api.announce();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readOwnerFile(file)).toEqual({ url: first.api.url, token: first.api.token, pid: process.pid });
    expect(first.api.token).not.toBe(api.api.token);
    expect((await first.call('GET', '/keys')).status).toBe(200);
    expect((await call(api.api.url, 'GET', '/api/v1/keys', { key: first.api.token })).status).toBe(401);
    await first.api.close();
    expect(readOwnerFile(file)).toBeUndefined();
    await first.close();
  });

  test('is in no table and not in the list of keys', async () => {
    const { text } = await api.call('GET', '/keys');
    expect(text).not.toContain(api.api.token.slice(-43));
    api.agent.db.pragma('wal_checkpoint(TRUNCATE)');
    expect(readFileSync(api.agent.paths.database).includes(api.api.token.slice(-43))).toBe(false);
  });
});

test('secrets in settings are not shown: a password in an address is masked', async () => {
  const secret = 'hunter2-canary';
  const other = await openTestApi({
    variables: { LBA_AWS_ENDPOINT: `https://me:${secret}@aws.example.com` },
  });
  const { text } = await other.call('GET', '/settings');
  expect(text).toContain('https://***@aws.example.com');
  expect(text).not.toContain(secret);
  await other.close();
});

test('the default port being taken is no reason not to start', async () => {
  const server = createServer();
  const taken = Promise.withResolvers<void>();
  server.once('error', () => taken.resolve()).listen(4_590, '127.0.0.1', () => taken.resolve());
  await taken.promise;
  const other = await openTestApi({ variables: { LBA_API_PORT: '' } });
  expect((await other.call('GET', '/version')).status).toBe(200);
  expect((server.address() as AddressInfo | null)?.port ?? 4_590).toBe(4_590);
  expect(new URL(other.api.url).port).not.toBe('4590');
  await other.close();
  server.close();
});
