import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFfmpeg } from './ffmpeg.ts';

describe('findFfmpeg', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'ffmpeg-test-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  function program(...path: string[]): string {
    const file = join(home, ...path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '');
    chmodSync(file, 0o755);
    return file;
  }

  test('the configured one wins, and is not replaced when it is wrong', () => {
    const chosen = program('own', 'ffmpeg');
    const onPath = program('bin', 'ffmpeg');
    const env = { PATH: join(onPath, '..') };
    expect(findFfmpeg({ configured: chosen, env, home })).toBe(chosen);
    expect(findFfmpeg({ configured: join(home, 'missing'), env, home })).toBeNull();
    expect(findFfmpeg({ configured: null, env, home })).toBe(onPath);
  });

  test('the PATH is searched in order, and only programs count', () => {
    mkdirSync(join(home, 'a', 'ffmpeg'), { recursive: true });
    mkdirSync(join(home, 'b'));
    writeFileSync(join(home, 'b', 'ffmpeg'), '', { mode: 0o644 });
    const right = program('c', 'ffmpeg');
    const PATH = ['', join(home, 'a'), join(home, 'b'), join(home, 'c')].join(delimiter);
    expect(findFfmpeg({ env: { PATH }, platform: 'linux', home })).toBe(right);
  });

  test('Windows writes its PATH and its programs differently', () => {
    const right = program('bin', 'ffmpeg.exe');
    expect(findFfmpeg({ env: { Path: join(home, 'bin') }, platform: 'win32', home })).toBe(right);
  });

  test.each([
    ['linux', ['.cache', 'ms-playwright'], 'ffmpeg-linux', {}],
    ['linux', ['xdg', 'ms-playwright'], 'ffmpeg-linux', { XDG_CACHE_HOME: 'xdg' }],
    ['darwin', ['Library', 'Caches', 'ms-playwright'], 'ffmpeg-mac', {}],
    ['win32', ['AppData', 'Local', 'ms-playwright'], 'ffmpeg-win64.exe', {}],
    ['win32', ['local', 'ms-playwright'], 'ffmpeg-win64.exe', { LOCALAPPDATA: 'local' }],
    ['linux', ['own'], 'ffmpeg-linux', { PLAYWRIGHT_BROWSERS_PATH: 'own' }],
  ] as const)("Playwright's own is found on %s in %j, the newest first", (platform, folder, name, vars) => {
    program(...folder, 'ffmpeg-999', name);
    const newest = program(...folder, 'ffmpeg-1011', name);
    const env = Object.fromEntries(Object.entries(vars).map(([key, value]) => [key, join(home, value)]));
    expect(findFfmpeg({ env, platform, home })).toBe(newest);
  });

  test('none is none', () => {
    expect(findFfmpeg({ env: {}, home })).toBeNull();
    mkdirSync(join(home, '.cache', 'ms-playwright', 'ffmpeg-1011'), { recursive: true });
    expect(findFfmpeg({ env: { PLAYWRIGHT_BROWSERS_PATH: '0' }, platform: 'linux', home })).toBeNull();
  });

  test('this machine is searched when nothing else is said', () => {
    expect(findFfmpeg()).toMatch(/ffmpeg/);
  });
});
