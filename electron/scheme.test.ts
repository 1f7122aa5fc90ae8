import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSchemeHandler, fileOf, pagePolicy } from './scheme.ts';

const folder = mkdtempSync(join(tmpdir(), 'lba-scheme-'));
writeFileSync(join(folder, 'index.html'), '<h1>page</h1>');
writeFileSync(join(folder, 'notes.txt'), 'not for the page');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const answer = createSchemeHandler({
  folder,
  agentUrl: () => 'http://127.0.0.1:4590',
  quitPage: () => '<p>quitting</p>',
});

describe('the files of the page', () => {
  test.each([
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%5c..%5csecret',
    '/%00',
    '/%',
    '/.',
    '//..//x',
  ])('%s leads to nothing outside', (path) => {
    const found = fileOf(folder, path);
    expect(found === null || found.startsWith(`${folder}${sep}`)).toBe(true);
  });

  test('the root is the page, with the policy', async () => {
    const response = await answer(new Request('lba://app/'));
    expect(await response.text()).toBe('<h1>page</h1>');
    expect(response.headers.get('content-security-policy')).toBe(pagePolicy('http://127.0.0.1:4590'));
    expect(response.headers.get('content-type')).toContain('text/html');
  });

  test.each([
    ['lba://other/', 'another host'],
    ['lba://app/missing.js', 'a missing file'],
    ['lba://app/notes.txt', 'a kind of file that no page needs'],
    ['lba://app/..%2f..%2fetc%2fpasswd', 'a path out of the folder'],
  ])('%s (%s) is not found', async (url) => {
    expect((await answer(new Request(url))).status).toBe(404);
  });

  test('the page may speak to the agent, and to nobody else', () => {
    const policy = pagePolicy('http://127.0.0.1:4590');
    expect(policy).toMatch(/^default-src 'none'/);
    expect(policy).toContain("connect-src 'self' http://127.0.0.1:4590 ws://127.0.0.1:4590;");
    expect(policy).toContain('frame-src http://127.0.0.1:4590;');
    expect(pagePolicy('https://127.0.0.1:4590')).toContain('wss://127.0.0.1:4590;');
    expect(pagePolicy(null)).toContain("connect-src 'self'; frame-src 'none';");
  });
});
