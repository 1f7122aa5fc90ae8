/** The parts of the shell that decide without Electron. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AgentSnapshot } from '../agent/base/shell-messages.ts';
import type { AgentConnection } from '../renderer/src/bridge.ts';
import { pathOfArguments, pathOfLink } from './deep-link.ts';
import { openable } from './external.ts';
import { lookAtLastLife } from './last-life.ts';
import { newNotices, stoppedNotice } from './notices.ts';
import { trayView, type TrayItem } from './tray-model.ts';
import { KeptVault, type Storage } from './vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'lba-shell-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ready: AgentConnection = { state: 'ready', url: 'http://127.0.0.1:4590', token: 'key' };
const calm: AgentSnapshot = {
  worker: 'working',
  detail: '',
  runs: [],
  waiting: [],
  failingServices: [],
  level: 'INFO',
  recent: [],
  drainMs: 600_000,
};
const run = { runId: 'r1', scriptName: 'orders' };

function labels(items: readonly TrayItem[]): string[] {
  return items.flatMap((item) => (item.kind === 'separator' ? [] : [item.label]));
}

describe('the tray', () => {
  test.each<[string, AgentConnection, AgentSnapshot | null]>([
    ['idle', ready, calm],
    ['running', ready, { ...calm, runs: [run] }],
    ['paused', ready, { ...calm, worker: 'paused' }],
    ['person', ready, { ...calm, runs: [run], waiting: [{ runId: 'r1', message: 'Sign in' }] }],
    ['offline', ready, { ...calm, runs: [run], failingServices: ['s3'] }],
    ['error', { state: 'restarting', problem: 'it ended' }, null],
    ['error', { state: 'failed', problem: 'it ended' }, null],
    ['idle', { state: 'starting' }, null],
  ])('is %s', (state, connection, snapshot) => {
    expect(trayView(connection, snapshot).state).toBe(state);
  });

  test('offers what can be done now', () => {
    expect(labels(trayView(ready, calm).menu)).toEqual([
      'Open',
      'Pause',
      'Finish the runs, then stop',
      'Recording level',
      'Recent runs',
      'Quit',
    ]);
    expect(labels(trayView(ready, { ...calm, worker: 'paused' }).menu)).toContain('Resume');
    expect(labels(trayView(ready, { ...calm, worker: 'none' }).menu)).toContain('Set up…');
    const failed = trayView({ state: 'failed', problem: 'x' }, null).menu;
    expect(labels(failed)).toEqual(['Open', 'Start the agent again', 'Quit']);
  });

  test('leads to the run that needs somebody, and to recent ones', () => {
    const { menu } = trayView(ready, {
      ...calm,
      waiting: [{ runId: 'r1', message: 'Enter the code' }],
      recent: [{ runId: 'r0', scriptName: 'stock', state: 'failed', errorName: 'x', endedAt: 0 }],
    });
    expect(menu).toContainEqual({
      kind: 'item',
      label: 'Needs you: Enter the code',
      action: { do: 'open', path: '/runs/r1' },
    });
    const recent = menu.find((item) => item.kind === 'menu' && item.label === 'Recent runs');
    expect(recent).toMatchObject({ items: [{ action: { do: 'open', path: '/runs/r0' } }] });
  });

  test('ticks the level that counts', () => {
    const { menu } = trayView(ready, { ...calm, level: 'TRACE' });
    const levels = menu.find((item) => item.kind === 'menu' && item.label === 'Recording level');
    const ticked =
      levels?.kind === 'menu' ? levels.items.filter((item) => item.kind === 'item' && item.isChecked) : [];
    expect(labels(ticked)).toEqual(['TRACE: everything, with video']);
  });
});

describe('notices', () => {
  test('tell of a run that needs somebody once, and lead to it', () => {
    const waits = { ...calm, waiting: [{ runId: 'r1', message: 'Sign in' }] };
    expect(newNotices(calm, waits)).toEqual([
      { title: 'A run needs you', body: 'Sign in', path: '/runs/r1' },
    ]);
    expect(newNotices(waits, waits)).toEqual([]);
  });

  test('tell of a failure that is new, not of those that were there at the start', () => {
    const recent = [{ runId: 'r1', scriptName: 'orders', state: 'failed', errorName: 'E', endedAt: 1 }];
    expect(newNotices(null, { ...calm, recent })).toEqual([]);
    expect(newNotices(calm, { ...calm, recent })).toEqual([
      { title: 'orders failed', body: 'E', path: '/runs/r1' },
    ]);
  });

  test('tell when the agent stopped for good', () => {
    const failed: AgentConnection = { state: 'failed', problem: 'why' };
    expect(stoppedNotice(ready, failed)).toMatchObject({ body: 'why' });
    expect(stoppedNotice(failed, failed)).toBeNull();
    expect(stoppedNotice(failed, ready)).toBeNull();
  });
});

describe('addresses', () => {
  test('a link leads to a run', () => {
    expect(pathOfLink('local-browser-agent://run/01J-abc_9')).toBe('/runs/01J-abc_9');
    expect(pathOfArguments(['app', '--hidden', 'local-browser-agent://run/x/'])).toBe('/runs/x');
  });

  test.each([
    'https://run/x',
    'local-browser-agent://settings/x',
    'local-browser-agent://run/a%2fb',
    'local-browser-agent://run/',
    'no address',
  ])('%s is no link to a run', (text) => {
    expect(pathOfLink(text)).toBeNull();
  });

  test.each([
    'https://eu-central-1.console.aws.amazon.com/s3/object/b?prefix=k',
    'https://my-sso.awsapps.com/start',
    'https://docs.aws.amazon.com/step-functions/',
    'https://console.amazonaws.cn/s3/buckets/evidence',
    'https://console.amazonaws-us-gov.com/s3/buckets/evidence',
  ])('%s is opened outside', (url) => {
    expect(openable(url)).toBe(url);
  });

  test.each([
    'http://docs.aws.amazon.com/',
    'https://docs.aws.amazon.com.evil.example/',
    'https://evilconsole.aws.amazon.com/',
    'https://user@github.com/',
    'https://github.com:8443/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '',
  ])('"%s" is not', (url) => {
    expect(openable(url)).toBeNull();
  });
});

test('an end by force is told at the next start, one in order is not', () => {
  const path = join(folder, 'life', 'running');
  expect(lookAtLastLife(path).notice).toBeNull();
  const second = lookAtLastLife(path);
  expect(second.notice).toContain('did not end by itself');
  second.endedWell();
  expect(lookAtLastLife(path).notice).toBeNull();
});

describe('the vault', () => {
  /** Turns texts around, which no test could mistake for the text. */
  const storage = (backend: 'gnome_libsecret' | 'basic_text', isAvailable = true): Storage => ({
    isEncryptionAvailable: () => isAvailable,
    encryptString: (text) => Buffer.from(text.split('').toReversed().join('')),
    decryptString: (bytes) => bytes.toString().split('').toReversed().join(''),
    getSelectedStorageBackend: () => backend,
  });
  const ask = (verb: 'get' | 'set' | 'delete', name: string, value: string | null = null) => ({
    type: 'vault.ask' as const,
    id: 1,
    verb,
    name,
    value,
  });

  test('keeps what it is given encrypted, and survives a start', async () => {
    const path = join(folder, 'vault.json');
    const vault = await KeptVault.open(storage('gnome_libsecret'), path);
    expect(vault.isProtected).toBe(true);
    await Promise.all([vault.answer(ask('set', 'a', 'secret one')), vault.answer(ask('set', 'b', 'two'))]);
    expect(readFileSync(path, 'utf8')).not.toContain('secret one');
    const again = await KeptVault.open(storage('gnome_libsecret'), path);
    expect(await again.answer(ask('get', 'a'))).toBe('secret one');
    expect(await again.answer(ask('get', 'b'))).toBe('two');
    await again.answer(ask('delete', 'a'));
    expect(await again.answer(ask('get', 'a'))).toBeNull();
  });

  test.runIf(process.platform === 'linux')('calls plain text no protection', async () => {
    const vault = await KeptVault.open(storage('basic_text'), join(folder, 'none.json'));
    expect(vault).toMatchObject({ isProtected: false, protection: expect.stringContaining('not protected') });
  });

  test('a keychain that is away is said, with what it held', async () => {
    const vault = await KeptVault.open(storage('gnome_libsecret', false), join(folder, 'vault.json'));
    expect(vault.protection).toContain('unlock it and start the app again');
  });
});
