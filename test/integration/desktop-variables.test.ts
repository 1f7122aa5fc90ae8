/** The desktop's agent process, with this test as the main process: what a script reads is asked for by name. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readToShell, type ToAgent, type ToShell } from '../../agent/base/shell-messages.ts';
import { call } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const DESKTOP = fileURLToPath(new URL('../../agent/desktop.ts', import.meta.url));

test('a script reads a variable that the settings allow; no other is asked for', async () => {
  const home = makeHome('desktop-variables');
  onTestFinished(() => removeHome(home));
  writeFileSync(join(home, 'settings.yaml'), 'script:\n  allowed_env: [GREETING, UNSET]\n');
  const child = spawn(process.execPath, [DESKTOP], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LBA_API_PORT: '0' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const send = (message: ToAgent): boolean => child.send(message);
  const asked: string[] = [];
  const ready = Promise.withResolvers<Extract<ToShell, { type: 'ready' }>>();
  child.on('message', (message) => {
    const read = readToShell(message);
    if (read.type === 'ready') ready.resolve(read);
    if (read.type !== 'variable.ask') return;
    asked.push(read.name);
    send({ type: 'variable.answer', id: read.id, value: read.name === 'GREETING' ? 'Hello' : null });
  });
  send({ type: 'start', home, origin: 'app://app', vault: null });
  const { url, token } = await ready.promise;

  /** @returns the message that the run failed with */
  const messageOf = async (name: string): Promise<string> => {
    const script = {
      name: 'Read',
      steps: [{ action: 'fail', name: 'End', message: `{{env.${name}}} there` }],
    };
    const begun = await call(url, 'POST', '/api/v1/runs', { key: token, body: { script } });
    expect(begun.status).toBe(201);
    const path = `/api/v1/runs/${(begun.json as { run_id: string }).run_id}`;
    let run: { state?: string; error?: { message: string } | null } = {};
    await expect
      .poll(async () => {
        run = (await call(url, 'GET', path, { key: token })).json as typeof run;
        return run.state;
      })
      .toBe('failed');
    return run.error?.message ?? '';
  };
  expect(await messageOf('GREETING')).toContain('Hello there');
  expect(await messageOf('UNSET')).toMatch(/env\.UNSET.* is not defined/);
  expect(await messageOf('SECRET')).toMatch(/env\.SECRET.* is not defined.*script\.allowed_env/);
  expect(new Set(asked)).toEqual(new Set(['GREETING', 'UNSET']));
});
