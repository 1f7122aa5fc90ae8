import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive } from './is-alive.ts';

test('a process is alive until it has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  expect(isAlive(child.pid!)).toBe(true);
  const ended = once(child, 'exit');
  child.stdin.end();
  await ended;
  expect(isAlive(child.pid!)).toBe(false);
});

test.skipIf(process.platform === 'win32')('a process of another user is alive', () => {
  // Process 1 belongs to root; root itself may signal it.
  expect(isAlive(1)).toBe(true);
});
