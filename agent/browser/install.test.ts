/** Fetching a browser from a real server, which has an archive of the right shape. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync, type Zippable } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { thisMachine, type Machine } from './browser-paths.ts';
import { findBrowsers } from './detect.ts';
import { installBrowser, type InstallProgress } from './install.ts';

const isLinux = process.platform === 'linux' && process.arch === 'x64';

function emptyMachine(): Machine {
  const home = mkdtempSync(join(tmpdir(), 'lba-install-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return { ...thisMachine(), env: { PATH: '' }, home };
}

async function serve(answer: (path: string) => Uint8Array | null): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer(({ url = '', method }, response) => {
    if (method === 'GET') paths.push(url);
    const body = answer(url);
    if (body === null) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': body.length }).end(method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

test.skipIf(!isLinux)('a browser that was fetched is found, and fetched once', async () => {
  const machine = emptyMachine();
  const program = '#!/bin/sh\necho Chrome for Testing 1.2.3.4\n';
  const files: Zippable = {
    'chrome-linux64/chrome': [strToU8(program), { os: 3, attrs: (0o100755 << 16) >>> 0 }],
    'chrome-linux64/resources.pak': [new Uint8Array(300_000), { level: 0 }],
  };
  const { url, paths } = await serve(() => zipSync(files));
  expect(await findBrowsers(machine)).toEqual([]);
  const heard: InstallProgress[] = [];
  const { executablePath, version } = await installBrowser({
    machine,
    baseUrl: url,
    onProgress: (progress) => heard.push(progress),
  });
  expect(version).toMatch(/^\d+(\.\d+){3}$/);
  expect(paths).toEqual([`/${version}/linux64/chrome-linux64.zip`]);
  expect(await findBrowsers(machine)).toEqual([
    { channel: null, executablePath, name: 'Chrome for Testing', version: '1.2.3.4', source: 'fetched' },
  ]);
  const percents = heard.map(({ percent }) => percent);
  expect([percents[0], percents.at(-1)]).toEqual([0, 100]);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
  await installBrowser({ machine, baseUrl: url });
  expect(paths).toHaveLength(1);
});

test('what cannot be fetched is said with the reason and the other ways', async () => {
  const { url } = await serve(() => null);
  await expect(installBrowser({ machine: emptyMachine(), baseUrl: url })).rejects.toMatchObject({
    errorName: 'BrowserAgent.BrowserUnavailable',
    message: expect.stringMatching(/could not be fetched: .*storage\.googleapis\.com.*(chromium|Chrome)/s),
  });
});
