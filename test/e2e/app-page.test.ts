/** The app's page as an agent serves it, from the build. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import { cli } from '../fixtures/cli.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  api.api.announce();
});

afterAll(() => api.close());

const get = (path: string): Promise<Response> => fetch(api.api.url + path, { redirect: 'manual' });

test('the page needs no key and may load nothing from elsewhere', async () => {
  const answer = await get('/app/');
  expect(answer.status).toBe(200);
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; /);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
  const assets = [...(await answer.text()).matchAll(/(?:src|href)="\.\/(?<path>assets\/[^"]+)"/g)];
  expect(assets.length).toBeGreaterThanOrEqual(2);
  for (const { groups } of assets) {
    const asset = await get(`/app/${groups!['path']!}`);
    expect(asset.status).toBe(200);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-type')).toMatch(
      /^(text\/(css|javascript); charset=utf-8|image\/svg\+xml)$/,
    );
  }
});

test('/app leads to /app/', async () => {
  const answer = await get('/app');
  expect([answer.status, answer.headers.get('location')]).toEqual([308, '/app/']);
});

test.each([
  '/app/assets/none.js',
  '/app/assets/..%2findex.html',
  '/app/assets/..%2f..%2f..%2fpackage.json',
  '/app/assets/.js',
])('nothing else of the disk is behind %s', async (path) => {
  const answer = await get(path);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: 'BrowserAgent.NotFound' });
});

test('"app" prints the address with a key that works', async () => {
  const { code, stdout, stderr } = await cli(['app', '--home', api.home]);
  expect(code).toBe(0);
  const address = new URL(stdout.trim());
  expect(address.origin + address.pathname).toBe(`${api.api.url}/app/`);
  expect(stderr).toContain('may do what you may');
  const token = new URLSearchParams(address.hash.slice(1)).get('token');
  const answer = await fetch(`${api.api.url}/api/v1/version`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
});
