/** Ordinary VNC clients, as people have them, at the TCP port of the live view. */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { encrypted } from '../../agent/live/rfb/vnc-auth.ts';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';
import { pixelsOf, type Pixels } from '../support/pictures.ts';
import { freePort } from '../support/ports.ts';

const run = promisify(execFile);
const SOON_MS = 20_000;
const soon = { timeout: SOON_MS, interval: 200 };
const SIZE = { width: 1280, height: 720 };
/** Brightness that the JPEG of the browser and that of a client may cost, in the mean, of 255. */
const MAX_DIFFERENCE = 4;
const MAX_DIFFERENCE_OF_256_COLORS = 10;
/** How every VNC client hides the password in its file: a key that all of them know. */
const FILE_KEY = Buffer.from([23, 82, 107, 6, 35, 78, 88, 7]).toString('latin1');
const PAGE = `<body style="margin:0;font:40px monospace;background:#dfe8f5">
  <h1 style="position:absolute;left:60px;top:40px">Harbour 4711</h1>
  <div style="position:absolute;left:700px;top:300px;width:400px;height:300px;background:#c02030"></div>
  <div style="position:absolute;left:60px;top:400px;width:500px;height:200px;background:#104020"></div>`;

const has = (command: string): boolean => spawnSync('which', [command]).status === 0;
/** Of the packages vncsnapshot, tigervnc-viewer, xtightvncviewer and xvfb. */
const missing = ['vncsnapshot', 'xtigervncviewer', 'xtightvncviewer', 'Xvfb'].filter((name) => !has(name));
if (missing.length > 0) {
  console.warn(
    `not shown: VNC clients, because ${missing.join(', ')} is not here (scripts/setup.mjs --for-tests)`,
  );
}

let site: FixtureSite;
let api: TestApi;
let folder: string;
let port: number;
let password: string;
let passwordFile: string;

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', PAGE);
  folder = mkdtempSync(join(tmpdir(), 'lba-vnc-'));
  port = await freePort();
  api = await openTestApi({ variables: { LBA_LIVE_TCP_PORT: String(port) } });
  api.api.announce();
  ({ password } = vncOf(api) as { password: string });
  passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, encrypted(Buffer.from(password), FILE_KEY));
});
afterAll(async () => {
  await api.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

function vncOf({ agent }: TestApi): unknown {
  return readOwnerFile(agent.paths.api)?.vnc;
}

async function start(): Promise<string> {
  const script = {
    name: 'Watched',
    viewport: SIZE,
    steps: [
      { action: 'navigate', url: `${site.url}/` },
      { action: 'human', message: 'Wait' },
    ],
  };
  const { json, text, status } = await api.call('POST', '/runs', { body: { script } });
  expect(status, text).toBe(201);
  const { run_id: id } = json as { run_id: string };
  onTestFinished(async () => {
    await api.call('POST', `/runs/${id}/cancel`);
    await expect.poll(() => api.agent.watchable.get(id), soon).toBeUndefined();
  });
  // Its page has been drawn then; an address alone may still be that of a white one.
  await expect.poll(() => api.agent.humans.pending().some(({ runId }) => runId === id), soon).toBe(true);
  return id;
}

async function pageOf(id: string): Promise<{ size: { width: number; height: number }; pixels: Pixels }> {
  const page = api.agent.watchable.get(id)!.page();
  const size = page.viewportSize()!;
  return { size, pixels: await pixelsOf(await page.screenshot(), size) };
}

/** In the mean, of every fourth place. */
function difference(a: Pixels, b: Pixels): number {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < a.height; y += 4) {
    for (let x = 0; x < a.width; x += 4) {
      sum += Math.abs(a.at(x, y) - b.at(x, y));
      count += 1;
    }
  }
  return sum / count;
}

/** A screen that nobody sees, as large as the page. */
async function startScreen({ width, height }: { width: number; height: number }): Promise<string> {
  const child = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nocursor'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  endWithTest(child);
  const number = await new Promise<string>((resolve, reject) => {
    child.stdio[3]!.once('data', (data: Buffer) => resolve(data.toString().trim()));
    child.once('close', () => reject(new Error('Xvfb did not start')));
  });
  return `:${number}`;
}

function endWithTest(child: ChildProcess): void {
  onTestFinished(() => void child.kill('SIGKILL'));
}

async function photograph(display: string, size: { width: number; height: number }): Promise<Pixels> {
  const { stdout } = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'x11grab',
      '-video_size',
      `${size.width}x${size.height}`,
      '-draw_mouse',
      '0',
    ].concat(['-i', display, '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'png', 'pipe:1']),
    { encoding: 'buffer', maxBuffer: 50_000_000 },
  );
  return pixelsOf(stdout, size);
}

describe.skipIf(missing.length > 0)('real clients', () => {
  test.each([
    ['as it likes', []],
    ['with Tight and no JPEG', ['-nojpeg']],
    ['with Raw alone', ['-encodings', 'raw']],
  ])('vncsnapshot takes the picture of the page, %s', async (_title, flags) => {
    const id = await start();
    const { size, pixels } = await pageOf(id);
    const file = join(folder, 'shot.jpg');
    const shoot = async (): Promise<number> => {
      rmSync(file, { force: true });
      const target = ['-passwd', passwordFile, `127.0.0.1:${port - 5900}`, file];
      await run('vncsnapshot', ['-quiet', ...flags, ...target], { timeout: SOON_MS });
      return difference(await pixelsOf(readFileSync(file), size), pixels);
    };
    // Who joins gets the last frame at once, which may be one of before the page was drawn.
    await expect.poll(shoot, soon).toBeLessThan(MAX_DIFFERENCE);
  });

  const tiger = ['-RemoteResize=0', '-FullScreen=1'];
  const fixed = [...tiger, '-AutoSelect=0'];
  test.each([
    ['xtigervncviewer', 'as it likes', [...tiger, '-PasswordFile'], MAX_DIFFERENCE],
    ['xtigervncviewer', 'with Raw', [...fixed, '-PreferredEncoding=Raw', '-PasswordFile'], MAX_DIFFERENCE],
    [
      'xtigervncviewer',
      'with 8 bits a pixel',
      [...fixed, '-FullColor=0', '-LowColorLevel=2', '-PasswordFile'],
      MAX_DIFFERENCE_OF_256_COLORS,
    ],
    ['xtightvncviewer', 'as it likes', ['-fullscreen', '-passwd'], MAX_DIFFERENCE],
    ['xtightvncviewer', 'with Tight', ['-encodings', 'tight', '-fullscreen', '-passwd'], MAX_DIFFERENCE],
  ])('%s shows the page, %s', async (client, _title, flags, most) => {
    const id = await start();
    const { size, pixels } = await pageOf(id);
    const display = await startScreen(size);
    const env = { ...process.env, DISPLAY: display, HOME: folder };
    const child = spawn(client, [...flags, passwordFile, `127.0.0.1::${port}`], {
      env,
      stdio: 'ignore',
    });
    endWithTest(child);
    await expect
      .poll(async () => difference(await photograph(display, size), pixels), soon)
      .toBeLessThan(most);
  });
});

test('without a run a client is told so', async () => {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (data) => (said += data.toString('latin1')));
  socket.write('RFB 003.008\n');
  await expect.poll(() => said, soon).toContain('no run is at work');
});

test('a port that is taken is told, and the agent goes on without it', async () => {
  const second = await openTestApi({ variables: { LBA_LIVE_TCP_PORT: String(port) } });
  onTestFinished(() => second.close());
  second.api.announce();
  expect(vncOf(second)).toEqual({ problem: expect.stringContaining(`port ${port} of 127.0.0.1`) as string });
  expect((await second.call('GET', '/health')).status).toBe(200);
});
