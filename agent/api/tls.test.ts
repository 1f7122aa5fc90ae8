import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { call, openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { hasOpenssl, makeCertificate } from '../../test/fixtures/certificate.ts';
import { makeHome, removeHome } from '../../test/fixtures/home.ts';

describe.skipIf(!hasOpenssl)('beyond loopback, with TLS', () => {
  let folder: string;
  let api: TestApi;

  beforeAll(async () => {
    folder = makeHome('tls');
    const { cert, key } = makeCertificate(folder, 'own');
    api = await openTestApi({
      variables: { LBA_API_HOST: '0.0.0.0', LBA_API_TLS_CERT_FILE: cert, LBA_API_TLS_KEY_FILE: key },
    });
  });

  afterAll(async () => {
    await api.close();
    removeHome(folder);
  });

  async function get(headers: Record<string, string>): Promise<{ status: number; hsts: string | undefined }> {
    const { port } = new URL(api.api.url);
    const { promise, resolve, reject } = Promise.withResolvers<{
      status: number;
      hsts: string | undefined;
    }>();
    request(
      { host: '127.0.0.1', port, path: '/api/v1/version', headers, rejectUnauthorized: false },
      (response) => {
        response.resume();
        const hsts = response.headers['strict-transport-security'];
        resolve({ status: response.statusCode ?? 0, hsts });
      },
    )
      .on('error', reject)
      .end();
    return promise;
  }

  test('it answers over https, and tells browsers to stay there', async () => {
    const { status, hsts } = await get({ authorization: `Bearer ${api.api.token}` });
    expect(status).toBe(200);
    expect(hsts).toContain('max-age=');
  });

  test('without a key it answers nothing there either', async () => {
    expect((await get({})).status).toBe(401);
  });

  test('an address is a right Host there, a strange name is none', async () => {
    const authorization = `Bearer ${api.api.token}`;
    expect((await get({ authorization, host: '192.0.2.7' })).status).toBe(200);
    expect((await get({ authorization, host: 'evil.example.com' })).status).toBe(421);
  });

  test('events come over wss', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${new URL(api.api.url).port}/api/v1/events/ws`, {
      headers: { authorization: `Bearer ${api.api.token}` },
      rejectUnauthorized: false,
    });
    const said = Promise.withResolvers<string>();
    socket.on('error', said.reject);
    socket.on('open', () => socket.send('{"type":"ping"}'));
    socket.on('message', (data: Buffer) => said.resolve(data.toString('utf8')));
    expect(await said.promise).toBe('{"type":"pong"}');
    socket.terminate();
  });

  test('plain http gets no answer', async () => {
    const url = api.api.url.replace('https://0.0.0.0', 'http://127.0.0.1');
    await expect(call(url, 'GET', '/api/v1/version', { key: api.api.token })).rejects.toThrow();
  });
});
