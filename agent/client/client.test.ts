/** The client on a real agent's API, and on what stands where an agent is expected. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { makeHome, removeHome } from '../../test/fixtures/home.ts';
import { homePaths } from '../base/paths.ts';
import { openDatabase } from '../store/database.ts';
import { lockWorker } from '../store/worker-lock.ts';
import { answerOf, createClient } from './client.ts';
import { connect, reach } from './connect.ts';
import { ApiProblem } from './problem.ts';

describe('on an agent', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await openTestApi();
    api.api.announce();
  });

  afterAll(() => api.close());

  test('answers come with the types of the API', async () => {
    const client = connect({ home: api.home });
    const version = await answerOf(client.GET('/api/v1/version'));
    expect(version).toMatchObject({ name: 'local-browser-agent', api: 'v1' });
    const { items, next_cursor } = await answerOf(
      client.GET('/api/v1/runs', { params: { query: { limit: 1, state: 'running' } } }),
    );
    expect({ items, next_cursor }).toEqual({ items: [], next_cursor: null });
    const made = await answerOf(client.POST('/api/v1/profiles', { body: { name: 'Portal north' } }));
    expect(made.tags).toEqual([]);
    const params = { path: { name: 'Portal north' } };
    expect(await answerOf(client.DELETE('/api/v1/profiles/{name}', { params }))).toBeUndefined();
  });

  test('a refusal is an error with name, status, places and what to do', async () => {
    const client = connect({ home: api.home });
    const params = { path: { run_id: 'no-id' } };
    const thrown: unknown = await answerOf(client.GET('/api/v1/runs/{run_id}', { params })).catch(
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(ApiProblem);
    expect(thrown).toMatchObject({
      status: 400,
      errorName: 'BrowserAgent.InvalidInput',
      message: expect.stringMatching(/not as documented\.\n {2}\$\.run_id: /),
    });
    const stranger = createClient({ url: api.api.url, token: 'lba_none' });
    await expect(answerOf(stranger.GET('/api/v1/version'))).rejects.toMatchObject({
      status: 401,
      errorName: 'BrowserAgent.Unauthorized',
      message: expect.stringContaining('keys create'),
    });
  });

  test('when it is gone, that is said, and why', async () => {
    const other = await openTestApi();
    other.api.announce();
    const client = connect({ home: other.home });
    await other.close();
    await expect(answerOf(client.GET('/api/v1/version'))).rejects.toMatchObject({
      errorName: 'BrowserAgent.Unreachable',
      message: expect.stringMatching(/could not be asked: .*ECONNREFUSED.*local-browser-agent status/),
    });
  });
});

describe('what is no agent', () => {
  test('a program that answers without problem details is told from one', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end('<h1>Not here</h1>'));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const client = createClient({ url: `http://127.0.0.1:${port}`, token: 'x' });
    await expect(answerOf(client.GET('/api/v1/version'))).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('another program'),
    });
  });

  function home(): string {
    const made = makeHome('client');
    onTestFinished(() => removeHome(made));
    return made;
  }

  test('no agent: how to start one is said', () => {
    const folder = home();
    expect(reach(folder).state).toBe('none');
    expect(() => connect({ home: folder })).toThrow(/No agent runs on .*local-browser-agent run/);
  });

  test('the api.json of a process that is gone is not believed', () => {
    const folder = home();
    const file = { url: 'http://127.0.0.1:4590', token: 'lba_old', pid: 2 ** 30 };
    writeFileSync(homePaths(folder).api, JSON.stringify(file));
    expect(() => connect({ home: folder })).toThrow(/No agent runs/);
  });

  test('an agent that is at work with its API off is told from none', () => {
    const folder = home();
    const db = openDatabase(homePaths(folder).database);
    const unlock = lockWorker(db);
    expect(reach(folder).state).toBe('silent');
    expect(() => connect({ home: folder })).toThrow(/An agent works on .*api\.enabled/);
    unlock();
    db.close();
    expect(reach(folder).state).toBe('none');
  });
});

test('what a page may use too imports nothing of Node', () => {
  const folder = import.meta.dirname;
  const onlyNode = new Set(['connect.ts', 'pinned-fetch.ts']);
  const shared = readdirSync(folder).filter((name) => !name.endsWith('.test.ts') && !onlyNode.has(name));
  expect(shared).toContain('client.ts');
  for (const name of shared) {
    const imports = [...readFileSync(join(folder, name), 'utf8').matchAll(/from '([^']+)'/g)];
    const allowed = /^(?:\.\/(?:problem|schema)\.ts|\.\.\/base\/errors\.ts|openapi-fetch|zod)$/;
    expect(imports.map(([, from]) => from).filter((from) => !allowed.test(from!))).toEqual([]);
  }
});
