/** An agent that is killed with a session open: the next start says so, and leaves no browser behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent } from '../../agent/agent.ts';
import { serve } from '../../agent/serve.ts';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { call } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const MAIN = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));
const SOON_MS = 50_000;

let home: string;

beforeAll(() => {
  home = makeHome('session-killed');
});

afterAll(() => {
  removeHome(home);
});

const env = { PATH: process.env['PATH'] ?? '', LBA_API_PORT: '0' };

test('a session of a killed agent has ended after the next start, its messages are cancelled, its browser is gone', async () => {
  const child = spawn(process.execPath, [MAIN, 'run', '--home', home], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const file = join(home, 'api.json');
  await expect.poll(() => readOwnerFile(file), { timeout: SOON_MS }).toBeDefined();
  await expect.poll(() => said, { timeout: SOON_MS }).toContain('no activity is configured');
  const { url, token } = readOwnerFile(file)!;
  const send = (path: string, body: object) => call(url, 'POST', `/api/v1${path}`, { key: token, body });
  const opened = await send('/sessions', {});
  expect(opened.status, opened.text).toBe(201);
  const { session_id } = opened.json as { session_id: string };
  const messages: string[] = [];
  for (const duration of [60_000, 1]) {
    const { json } = await send(`/sessions/${session_id}/messages`, { step: { action: 'wait', duration } });
    messages.push((json as { message_id: string }).message_id);
  }
  child.kill('SIGKILL');
  await exited;

  const agent = await openAgent({ home, env, log: silentLogger, uploads: 'none', keepWarm: false });
  try {
    const serving = await serve(agent);
    const { store } = agent.sessions;
    expect(store.get(session_id)).toMatchObject({ state: 'ended', end_reason: 'agent_stopped' });
    const states = messages.map((id) => store.message(session_id, id)?.state);
    expect(states).toEqual(['cancelled', 'cancelled']);
    expect(agent.db.prepare("SELECT count(*) AS n FROM processes WHERE kind = 'browser'").get()).toEqual({
      n: 0,
    });
    await serving.stop({ deadlineMs: 1_000 });
    await serving.done;
  } finally {
    await agent.close();
  }
});
