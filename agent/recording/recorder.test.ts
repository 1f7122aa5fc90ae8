import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { strFromU8, unzipSync } from 'fflate';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FFMPEG, pixelsOf, videoFrames } from '../../test/support/pictures.ts';
import {
  openBrowser,
  openPage,
  openProfile,
  servePages,
  until,
  VIEWPORT,
} from '../../test/support/recording.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { RECORDING_LEVELS, type JsonObject, type RecordingLevel } from '../base/words.ts';
import { ARTIFACT_KINDS } from './artifact-kinds.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import { Recorder } from './recorder.ts';
import { Redactor } from './redaction.ts';
import type { NewArtifact, RecordedStep, RecorderOptions } from './types.ts';

const SECRET = 'harbour-lights-7';
const FORM = `<body style="margin:0;font:30px monospace"><input id=q style="width:700px"><br>
  <input id=pw type=password><div id=out></div><a id=next href="/next" style="position:absolute;top:500px">next</a>`;

let browser: Browser;
let server: Awaited<ReturnType<typeof servePages>>;
let context: BrowserContext;
let page: Page;
let runDir: string;
let artifacts: NewArtifact[];
let redactor: Redactor;
let running: Set<number>;

beforeAll(async () => {
  browser = await openBrowser();
  server = await servePages({
    '/': FORM,
    '/next': '<body style="background:#888"><h1>Next</h1>',
    '/broken': '<script>console.error("it broke: harbour-lights-7")</script><h1>Broken</h1>',
    '/echo': `<body style="margin:0;font:30px monospace"><p id=p>Hello ${SECRET}</p><div style="position:fixed;left:600px;top:400px;width:150px;height:150px;background:#000">`,
    '/api': { type: 'application/json', body: `{"access_token":"tok-123456","note":"${SECRET}"}` },
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
  runDir = mkdtempSync(join(tmpdir(), 'recorder-test-'));
  artifacts = [];
  redactor = new Redactor();
  running = new Set();
});
afterEach(async () => {
  await context.close();
  rmSync(runDir, { recursive: true });
  if (running.size > 0) throw new Error(`ffmpeg ${[...running].join(', ')} was left behind`);
});

function recorder(level: RecordingLevel, more: Partial<RecorderOptions> = {}): Recorder {
  return new Recorder({
    runId: 'run-1',
    runDir,
    level: { level, reason: 'of the test' },
    keepLevel: 'NONE',
    redactor,
    sink: { add: (artifact) => void artifacts.push(artifact) },
    ffmpeg: FFMPEG,
    clock: systemClock,
    log: silentLogger,
    processes: { add: (pid) => void running.add(pid), remove: (pid) => void running.delete(pid) },
    facts: { scriptName: 'Test', taskId: 't1', browser: { kind: 'chromium', version: '1', headless: true } },
    ...more,
  });
}

let stepNumber = 0;
function step(action: RecordedStep['action'], more: Partial<RecordedStep> = {}): RecordedStep {
  stepNumber += 1;
  return { stepNumber, name: `${action} it`, action, key: false, sensitive: false, ...more };
}

/** One step as the run engine does it. */
async function does(
  it: Recorder,
  meta: RecordedStep,
  act: () => Promise<unknown>,
  result: JsonObject = {},
): Promise<void> {
  it.stepStarted(meta);
  await it.beforeActing();
  await act();
  await it.stepFinished(meta, { success: true, duration_ms: 1, url: page.url(), ...result }, page);
}

/** Six steps: a key one, one that fills, an extraction, a picture, an assertion, and one that leads away. */
async function sixSteps(it: Recorder): Promise<void> {
  stepNumber = 0;
  await does(it, step('navigate'), () => page.goto(server.url));
  await does(it, step('fill'), () => page.fill('#q', 'words'));
  await does(it, step('extract_dom'), async () => {}, { data: { a: 'words' } });
  await does(it, step('screenshot'), () => it.screenshot({ page }));
  await does(it, step('assert'), async () => {});
  await does(it, step('click'), async () => {
    await page.click('#next');
    await page.waitForURL('**/next');
  });
}

const keys = (list: readonly NewArtifact[] = artifacts): string[] => list.map(({ key }) => key).sort();
const find = (key: string): NewArtifact => {
  const found = artifacts.find((artifact) => artifact.key === key);
  if (!found) throw new Error(`no ${key} among ${keys().join(' ')}`);
  return found;
};
const read = (key: string): Buffer => readFileSync(find(key).path);
const manifest = (): Manifest => manifestSchema.parse(JSON.parse(read('manifest.json').toString()));

/** All that was recorded, as text; archives opened. */
function everything(): string {
  return artifacts
    .flatMap(({ path, contentType }) => {
      const bytes = readFileSync(path);
      if (contentType !== 'application/zip') return bytes.toString('latin1');
      return Object.values(unzipSync(bytes)).map((file) => Buffer.from(file).toString('latin1'));
    })
    .join('\n');
}

const INFO_KEYS = [
  'final/data.json',
  'final/page.html',
  'final/screenshot.jpg',
  'manifest.json',
  'steps/003-extract-dom-it.jpg',
  'steps/003-extract-dom-it.json',
  'steps/004-screenshot-it.jpg',
  'steps/005-assert-it.jpg',
  'steps/005-assert-it.json',
];
const DEBUG_KEYS = [
  ...INFO_KEYS,
  'network.har',
  'steps/001-navigate-it.html',
  'steps/001-navigate-it.jpg',
  'steps/006-click-it.html',
  'steps/006-click-it.jpg',
  'trace.zip',
];
const TRACE_KEYS = [
  ...DEBUG_KEYS,
  'steps/002-fill-it.html',
  'steps/002-fill-it.jpg',
  'steps/003-extract-dom-it.html',
  'steps/004-screenshot-it.html',
  'steps/005-assert-it.html',
  'video.webm',
];

describe('what is recorded', () => {
  test.each<[RecordingLevel, string[]]>([
    ['NONE', []],
    ['ERROR', []],
    ['INFO', INFO_KEYS],
    ['DEBUG', DEBUG_KEYS],
    ['TRACE', TRACE_KEYS],
  ])(
    'a run at %s that succeeds has exactly what the table says, and it is as described',
    async (level, expected) => {
      const it = recorder(level);
      await it.attach(context, page);
      await sixSteps(it);
      const summary = await it.finish({ state: 'succeeded', data: { a: 'words' } }, page);
      expect(keys()).toEqual(expected.toSorted());
      expect(summary.problems).toEqual([]);
      expect(summary).toMatchObject({ files: expected.length, keptFiles: 0, keptBytes: 0 });
      expect(summary.bytes).toBe(artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      for (const artifact of artifacts) {
        const bytes = readFileSync(artifact.path);
        expect(artifact).toMatchObject({
          runId: 'run-1',
          upload: true,
          keep: false,
          sizeBytes: bytes.length,
        });
        expect(artifact.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      }
      expect(existsSync(join(runDir, '.work'))).toBe(false);
      if (expected.length === 0) {
        expect(readdirSync(runDir)).toEqual([]);
        expect(summary.manifest).toBeUndefined();
        return;
      }
      const written = manifest();
      expect(written.artifacts.map(({ key }) => key).sort()).toEqual(
        expected.filter((key) => key !== 'manifest.json').sort(),
      );
      expect(written.recording).toEqual({ level, reason: 'of the test', keep_level: 'NONE' });
      expect(written.run).toMatchObject({
        run_id: 'run-1',
        state: 'succeeded',
        script_name: 'Test',
        task_id: 't1',
      });
      expect(written.steps.map(({ step_number }) => step_number)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(written.steps[2]!.artifacts).toContain('steps/003-extract-dom-it.json');
      expect(written.video.recorded).toBe(level === 'TRACE');
    },
  );

  test('NONE uploads nothing, whatever is asked and however the run ends', async () => {
    const it = recorder('NONE', { keepLevel: 'TRACE' });
    await it.attach(context, page);
    await sixSteps(it);
    const taken = await it.screenshot({ page, upload: true, includeData: true });
    expect(taken).toMatchObject({
      uploaded: false,
      reason: 'recording level NONE (of the test) keeps screenshots on this machine',
    });
    expect(taken.data).toBeUndefined();
    await it.failure({ name: 'BrowserAgent.StepFailed', message: 'x' }, page);
    const summary = await it.finish({ state: 'failed', data: { a: 1 } }, page);
    expect(artifacts.length).toBeGreaterThan(15);
    expect(artifacts.filter(({ upload }) => upload)).toEqual([]);
    expect(summary).toMatchObject({ files: 0, bytes: 0, keptFiles: artifacts.length });
  });

  test('no pair of levels uploads what the upload level alone would not', async () => {
    const levels = fc.constantFrom(...RECORDING_LEVELS);
    const { ArtifactWriter } = await import('./artifact-writer.ts');
    const { artifactWanted } = await import('./levels.ts');
    fc.assert(
      fc.property(
        levels,
        levels,
        fc.constantFrom(...ARTIFACT_KINDS),
        fc.boolean(),
        (level, keepLevel, kind, failed) => {
          const sink = { add: () => {} };
          const writer = new ArtifactWriter({
            runId: 'r',
            runDir,
            level,
            keepLevel,
            sink,
            log: silentLogger,
          });
          expect(writer.wanted(kind, { failed }).upload).toBe(artifactWanted(kind, level, { failed }));
        },
      ),
    );
  });

  test('where nothing is recorded, nothing is done to the page', async () => {
    const it = recorder('NONE');
    await it.attach(context, page);
    await it.pageChanged(page);
    await page.setContent('<input id=a>');
    await it.markSensitive(page.locator('#a'));
    expect(await page.content()).not.toContain('data-lba');
    expect(await it.screenshot({ page })).toMatchObject({ path: null, uploaded: false, sizeBytes: 0 });
    expect(await it.addFile({ path: 'x', name: 'x', contentType: 'x/y', kind: 'download' })).toBeNull();
    await it.failure({ name: 'x', message: 'x' }, page);
    expect((await it.finish({ state: 'failed' }, page)).files).toBe(0);
  });
});

describe('step pictures', () => {
  test('each shows the page after its step and before the next one acted', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    await page.goto(server.url);
    stepNumber = 0;
    const shades = [0, 250, 60, 200, 20, 140, 90, 230];
    for (const shade of shades) {
      const paint = (grey: number): Promise<void> =>
        page.evaluate((grey) => {
          document.body.innerHTML = `<p id=grey>${grey}</p>`;
          document.body.style.background = `rgb(${grey},${grey},${grey})`;
        }, grey);
      await does(it, step('execute_js', { name: `grey ${shade}` }), () => paint(shade));
    }
    await it.finish({ state: 'succeeded' }, page);
    for (const [index, shade] of shades.entries()) {
      const base = `steps/${String(index + 1).padStart(3, '0')}-grey-${shade}`;
      expect(read(`${base}.html`).toString()).toContain(`>${shade}</p>`);
      const pixels = await pixelsOf(read(`${base}.jpg`), VIEWPORT);
      expect(Math.abs(pixels.at(400, 400) - shade), base).toBeLessThan(6);
    }
  });

  test('a step that only looks does not wait for the picture, one that acts does', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    await page.goto(server.url);
    const first = step('execute_js');
    it.stepStarted(first);
    await it.beforeActing();
    await page.evaluate(() => {
      // The next picture takes a while.
      requestAnimationFrame(() => {
        const until = performance.now() + 400;
        while (performance.now() < until);
      });
    });
    await it.stepFinished(first, { success: true }, page);
    const order: string[] = [];
    const looks = step('wait');
    it.stepStarted(looks);
    await it.beforeActing();
    order.push(artifacts.some(({ key }) => key.endsWith('.jpg')) ? 'picture' : 'looked');
    await it.stepFinished(looks, { success: true }, page);
    it.stepStarted(step('click'));
    await it.beforeActing();
    await until(() => artifacts.filter(({ key }) => key.endsWith('.jpg')).length === 2, 'both pictures');
    expect(order).toEqual(['looked']);
    await it.finish({ state: 'succeeded' }, page);
  });

  test('a step that is done in a loop has files of its own each time', async () => {
    const it = recorder('TRACE', { ffmpeg: null });
    await it.attach(context, page);
    const meta = step('fill', { stepNumber: 1, name: 'again' });
    for (let round = 0; round < 2; round += 1) await does(it, meta, async () => {});
    await it.finish({ state: 'succeeded' }, page);
    expect(keys()).toContain('steps/001-again-2.jpg');
  });

  test('a step whose page is gone has no picture, and the manifest says so', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    const meta = step('click', { stepNumber: 7 });
    it.stepStarted(meta);
    await it.beforeActing();
    await page.close();
    await it.stepFinished(meta, { success: false, error: { name: 'x', message: 'y' } }, page);
    const { problems } = await it.finish({ state: 'succeeded' }, page);
    expect(problems).toContain('step 7 has no picture: its page was closed');
    expect(problems).toContain('no picture of the final page: it was closed');
    expect(manifest().steps[0]).toMatchObject({ success: false, error: { name: 'x', message: 'y' } });
  });

  test('a run that goes on in another page is recorded there', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    const popup = await context.newPage();
    await popup.setContent('<body style="background:#000">');
    await it.pageChanged(popup);
    const meta = step('click', { name: 'pop up', stepNumber: 1 });
    it.stepStarted(meta);
    await it.beforeActing();
    await it.stepFinished(meta, { success: true }, popup);
    await it.finish({ state: 'succeeded' }, popup);
    expect((await pixelsOf(read('steps/001-pop-up.jpg'), VIEWPORT)).at(400, 300)).toBeLessThan(10);
    const frames = await videoFrames(find('video.webm').path, VIEWPORT);
    expect(frames.at(-1)!.at(400, 300)).toBeLessThan(30);
  });
});

describe('explicit screenshots', () => {
  test('show the whole page, an element, or what is in view; the smaller format wins', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await page.setContent(
      '<body style="margin:0"><button>Go</button><div id=d style="height:1500px;background:#ccc">',
    );
    const whole = await it.screenshot({ page, name: 'whole.png' });
    expect(whole).toMatchObject({ key: 'steps/000-whole.jpg', contentType: 'image/jpeg', uploaded: true });
    const small = await it.screenshot({ page, locator: page.locator('button'), name: 'button' });
    expect(small).toMatchObject({ key: 'steps/000-button.png', contentType: 'image/png' });
    const large = await it.screenshot({ page, locator: page.locator('#d'), includeData: true });
    expect(large).toMatchObject({ key: 'steps/000-screenshot.jpg', contentType: 'image/jpeg' });
    const view = await it.screenshot({ page, fullPage: false, upload: false, name: 'view' });
    expect(view).toMatchObject({ uploaded: false, reason: 'the step says upload_to_s3: false', path: null });
    await it.finish({ state: 'cancelled' }, page);
    expect(read('steps/000-screenshot.jpg')).toEqual(large.data);
    expect(readFileSync(small.path!).subarray(1, 4).toString()).toBe('PNG');
    expect(whole.sizeBytes).toBe(readFileSync(whole.path!).length);
    expect(keys()).toEqual([
      'manifest.json',
      'steps/000-button.png',
      'steps/000-screenshot.jpg',
      'steps/000-whole.jpg',
    ]);
  });

  test('one that is not to be uploaded stays here when the keep level wants it', async () => {
    const it = recorder('INFO', { keepLevel: 'INFO' });
    await it.attach(context, page);
    const taken = await it.screenshot({ page, fullPage: false, upload: false });
    await it.finish({ state: 'succeeded' }, page);
    expect(find(taken.key)).toMatchObject({ upload: false, keep: true });
  });

  test('a closed page is an error, not a hole', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await page.close();
    await expect(it.screenshot({ page })).rejects.toThrow('the page was closed');
    await it.finish({ state: 'failed' }, null);
  });

  test('INFO stays small on a page full of pictures', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await page.setContent('<canvas width=800 height=2400></canvas>');
    await page.evaluate(() => {
      const drawing = document.querySelector('canvas')!.getContext('2d')!;
      const noise = drawing.createImageData(800, 2400);
      for (let at = 0; at < noise.data.length; at += 1) noise.data[at] = Math.random() * 256;
      drawing.putImageData(noise, 0, 0);
    });
    stepNumber = 0;
    await does(it, step('screenshot'), () => it.screenshot({ page }));
    await does(it, step('extract_dom'), async () => {});
    await it.finish({ state: 'succeeded', data: { a: 1 } }, page);
    expect(find('steps/001-screenshot-it.jpg').sizeBytes).toBeLessThan(400_000);
    expect(find('final/screenshot.jpg').sizeBytes).toBeLessThan(200_000);
  });
});

describe('failures', () => {
  async function failing(it: Recorder): Promise<void> {
    await it.attach(context, page);
    await page.goto(`${server.url}/broken`);
    await page.evaluate(() => {
      document.body.style.background = '#222';
    });
    it.stepStarted(step('click', { stepNumber: 4, name: 'Press' }));
    await it.beforeActing();
  }

  test('ERROR has the moment of the failure, the errors before it and the last seconds', async () => {
    const it = recorder('ERROR');
    await failing(it);
    await until(() => it.screencast.last !== undefined, 'a frame');
    await it.failure({ name: 'BrowserAgent.ElementNotFound', message: 'no button' }, page);
    await it.failure({ name: 'BrowserAgent.Internal', message: 'only the first counts' }, page);
    const summary = await it.finish({ state: 'failed', error: { name: 'n', message: 'm' } }, page);
    expect(keys()).toEqual([
      'failure/errors.json',
      'failure/last-30s.webm',
      'failure/page.html',
      'failure/screenshot.jpg',
      'manifest.json',
    ]);
    expect(summary.problems).toEqual([]);
    expect(summary.bytes).toBeLessThan(1_000_000);
    expect(JSON.parse(read('failure/errors.json').toString())).toMatchObject({
      error: { name: 'BrowserAgent.ElementNotFound' },
      step: { step_number: 4, name: 'Press' },
      problems: [{ kind: 'console', text: 'it broke: harbour-lights-7' }],
    });
    expect(read('failure/page.html').toString()).toContain('Broken');
    expect((await pixelsOf(read('failure/screenshot.jpg'), VIEWPORT)).at(700, 500)).toBeLessThan(50);
    const frames = await videoFrames(find('failure/last-30s.webm').path, VIEWPORT);
    expect(frames.at(-1)!.at(700, 500)).toBeLessThan(60);
    expect(manifest().run.error).toEqual({ name: 'n', message: 'm' });
  });

  test('what was just taken for the step is used again', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    await page.goto(server.url);
    const meta = step('click', { stepNumber: 1, name: 'fails' });
    it.stepStarted(meta);
    await it.beforeActing();
    await it.stepFinished(meta, { success: false }, page);
    await it.failure({ name: 'x', message: 'y' }, page);
    await it.finish({ state: 'failed' }, page);
    expect(read('failure/screenshot.jpg')).toEqual(read('steps/001-fails.jpg'));
    expect(read('failure/page.html')).toEqual(read('steps/001-fails.html'));
  });

  test('HTML that is missing is added to a picture that is there', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    const meta = step('assert', { stepNumber: 1, name: 'fails' });
    it.stepStarted(meta);
    await it.beforeActing();
    await it.stepFinished(meta, { success: false }, page);
    await it.failure({ name: 'x', message: 'y' }, page);
    await it.finish({ state: 'failed' }, page);
    expect(read('failure/screenshot.jpg')).toEqual(read('steps/001-fails.jpg'));
    expect(keys()).toContain('failure/page.html');
  });

  test('a page that is gone is shown as it last was, and the manifest says so', async () => {
    const it = recorder('ERROR');
    await failing(it);
    await until(() => it.screencast.last !== undefined, 'a frame');
    await page.close();
    await it.failure({ name: 'x', message: 'y' }, page);
    const { problems } = await it.finish({ state: 'failed' }, null);
    expect(keys()).toContain('failure/screenshot.jpg');
    expect(keys()).not.toContain('failure/page.html');
    expect(problems[0]).toMatch(
      /^the picture of the failure is the last frame, \d+ ms older, because the page was gone$/,
    );
  });

  test('a page that crashed is shown as it last was', async () => {
    const it = recorder('TRACE');
    await failing(it);
    await until(() => it.screencast.last !== undefined, 'a frame');
    const session = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    session.send('Page.crash').catch(() => {});
    await crashed;
    await it.failure({ name: 'x', message: 'y' }, page);
    const { problems } = await it.finish({ state: 'failed' }, page);
    expect(problems.join()).toMatch(/the picture of the failure is the last frame.*the page crashed/);
    expect(keys()).toContain('failure/last-30s.webm');
  });

  test('what is kept here may be more than what is uploaded, and never the other way round', async () => {
    const it = recorder('ERROR', { keepLevel: 'DEBUG', facts: { scriptName: 'Test' } });
    await it.attach(context, page);
    await sixSteps(it);
    await it.finish({ state: 'succeeded', data: {} }, page);
    expect(artifacts.length).toBeGreaterThan(8);
    expect(artifacts.some(({ upload }) => upload)).toBe(false);
    expect(manifest().recording).toMatchObject({ level: 'ERROR', keep_level: 'DEBUG' });
    expect(manifest().artifacts.every(({ uploaded }) => !uploaded)).toBe(true);
  });

  test('a browser that never drew has no picture, and the manifest says so', async () => {
    const it = recorder('ERROR', { ffmpeg: null });
    await it.attach(context, page);
    await it.failure({ name: 'x', message: 'y' }, null);
    const { problems } = await it.finish({ state: 'failed' }, null);
    expect(keys()).toEqual(['failure/errors.json', 'manifest.json']);
    expect(problems).toEqual([
      'no picture of the failure: the page was gone',
      'no video of the last seconds: no ffmpeg was found on this machine (see doctor)',
    ]);
  });

  test('without ffmpeg a run goes on, and says that it has no video and why', async () => {
    const it = recorder('TRACE', { ffmpeg: null });
    await it.attach(context, page);
    await sixSteps(it);
    const { problems } = await it.finish({ state: 'succeeded' }, page);
    expect(problems).toEqual(['no video: no ffmpeg was found on this machine (see doctor)']);
    expect(manifest().video).toEqual({
      recorded: false,
      reason: 'no ffmpeg was found on this machine (see doctor)',
    });
    expect(keys()).not.toContain('video.webm');
  });

  test('an ffmpeg that cannot do it leaves no file, only its reason', async () => {
    const it = recorder('TRACE', { ffmpeg: '/bin/false' });
    await it.attach(context, page);
    it.stepStarted(step('click'));
    await it.beforeActing();
    await until(() => it.screencast.last !== undefined, 'a frame');
    await it.failure({ name: 'x', message: 'y' }, page);
    const { problems } = await it.finish({ state: 'failed' }, page);
    expect(problems.join('\n')).toMatch(/no video of the last seconds: ffmpeg ended with 1/);
    expect(problems.join('\n')).toMatch(/no video: ffmpeg ended with 1/);
    expect(existsSync(join(runDir, 'video.webm'))).toBe(false);
  });

  test('tracing that somebody else has started already is a problem of the trace alone', async () => {
    await context.tracing.start();
    const it = recorder('DEBUG');
    await it.attach(context, page);
    const { problems } = await it.finish({ state: 'succeeded' }, page);
    expect(problems.join()).toContain('no trace: ');
    expect(keys()).toContain('final/screenshot.jpg');
  });

  test('without a trace there is no network log either, and the run is told of both', async () => {
    await context.tracing.start();
    const it = recorder('DEBUG');
    await it.attach(context, page);
    const { problems } = await it.finish({ state: 'succeeded' }, page);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['no trace', 'no network log']);
    expect(keys()).not.toContain('network.har');
  });

  test('a browser that is gone at the end costs the trace, not the rest', async () => {
    const it = recorder('DEBUG');
    await it.attach(context, page);
    await sixSteps(it);
    await context.close();
    const { problems } = await it.finish({ state: 'failed' }, null);
    expect(problems.join()).toContain('no trace: ');
    expect(keys()).toContain('steps/001-navigate-it.jpg');
  });
});

describe('secrets', () => {
  test('nothing secret is in anything that was recorded, in any form', async () => {
    redactor = new Redactor({ selectors: ['.balance', 'p['] });
    const it = recorder('TRACE');
    await it.attach(context, page);
    stepNumber = 0;
    await does(it, step('navigate'), () => page.goto(server.url));
    it.maskValue(SECRET);
    await does(it, step('fill'), async () => {
      await it.markSensitive(page.locator('#q'));
      await page.fill('#q', SECRET);
    });
    // Typed into a password field by a script that never called it a secret.
    await does(it, step('fill'), () => page.fill('#pw', 'undeclared-pass'));
    await does(it, step('execute_js'), () =>
      page.evaluate(async (value) => {
        document.querySelector('#out')!.innerHTML =
          `<p>${value}</p><p class=balance>1234 ${['balance', 'text'].join('-')}</p>`;
        // Joined here: the trace also has the source of this function.
        const token = (name: string): string => ['tok', name].join('-');
        await fetch(`/api?q=${encodeURIComponent(value)}&token=${token('abcdef')}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token('header')}` },
          body: JSON.stringify({ password: 'undeclared-pass', other: btoa(`user:${value}`) }),
        });
        console.error(`failed with ${value}`);
      }, SECRET),
    );
    await does(it, step('extract_dom'), async () => {}, { data: { key: SECRET, url: `?k=${SECRET}` } });
    await it.failure({ name: 'x', message: `could not use ${SECRET}` }, page);
    const summary = await it.finish({ state: 'failed', data: { [SECRET]: `"${SECRET}"` } }, page);
    const all = everything();
    const base64 = Buffer.from(`user:${SECRET}`).toString('base64').slice(8, 24);
    for (const secret of [
      SECRET,
      encodeURIComponent(SECRET),
      base64,
      'undeclared-pass',
      'balance-text',
      'tok-',
    ]) {
      expect(all.includes(secret), secret).toBe(false);
    }
    expect(summary.masked).toBeGreaterThan(5);
    expect(summary.problems).toEqual([
      'recording.mask_selectors: not valid CSS, so nothing is hidden by it: p[',
    ]);
    const written = manifest();
    expect(written.masked.values).toBeGreaterThan(3);
    expect(written.masked.fields).toBeGreaterThan(3);
    expect(find('steps/002-fill-it.jpg').masked).toBeGreaterThan(0);
    expect(strFromU8(unzipSync(read('trace.zip'))['trace.trace']!)).toContain('[masked]');
  });

  test('no frame of the video shows a secret, not even where it came unannounced', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    await page.goto(server.url);
    const box = (await page.locator('#q').boundingBox())!;
    const inside = { x: box.x + 4, y: box.y + 4, width: box.width - 8, height: box.height - 8 };
    stepNumber = 0;
    it.maskValue(SECRET);
    await does(it, step('fill'), async () => {
      await it.markSensitive(page.locator('#q'));
      await page.locator('#q').pressSequentially(SECRET, { delay: 30 });
    });
    await does(it, step('navigate'), () => page.goto(`${server.url}/echo`));
    const text = await page.evaluate(() => {
      const range = new Range();
      range.setStart(document.querySelector('#p')!.firstChild!, 'Hello '.length);
      range.setEnd(
        document.querySelector('#p')!.firstChild!,
        document.querySelector('#p')!.textContent.length,
      );
      return range.getBoundingClientRect().toJSON() as {
        x: number;
        y: number;
        width: number;
        height: number;
      };
    });
    await does(it, step('wait'), () => page.waitForTimeout(600));
    await it.finish({ state: 'succeeded' }, page);
    const frames = await videoFrames(find('video.webm').path, VIEWPORT);
    expect(frames.length).toBeGreaterThan(4);
    const middle = { x: text.x + 3, y: text.y + 6, width: text.width - 6, height: text.height - 12 };
    for (const frame of frames) {
      const isEcho = frame.at(675, 475) < 60;
      // Dots have nothing in the upper part of the line; letters have.
      const upper = { ...inside, height: inside.height / 4 };
      if (isEcho) expect(frame.dark(middle)).toBeGreaterThan(middle.width * middle.height * 0.95);
      else expect(frame.dark(upper, 90)).toBeLessThan(12);
    }
    expect(frames[0]!.at(675, 475)).toBeGreaterThan(200);
    const last = frames.at(-1)!;
    expect(last.dark(middle)).toBeGreaterThan(middle.width * middle.height * 0.95);
  });

  test('a field that is not there is an error: it must not be filled unmasked', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await expect(it.markSensitive(page.locator('#missing'), { timeoutMs: 50 })).rejects.toThrow('Timeout');
    await it.finish({ state: 'failed' }, page);
  });

  test('a label stands for its field, and anything that is no text field is blacked out', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await page.setContent(
      '<label>Pin <input id=pin></label><select id=s style="width:300px;height:100px"><option>secret option</select>',
    );
    await it.markSensitive(page.locator('label'));
    await it.markSensitive(page.locator('#s'));
    expect(await page.locator('#pin').getAttribute('data-lba-masked')).toBe('');
    const box = (await page.locator('#s').boundingBox())!;
    const taken = await it.screenshot({ page, fullPage: false, includeData: true });
    const pixels = await pixelsOf(taken.data!, VIEWPORT);
    const inside = { x: box.x + 5, y: box.y + 5, width: box.width - 10, height: box.height - 10 };
    expect(pixels.dark(inside, 40)).toBeGreaterThan(inside.width * inside.height * 0.99);
    await it.finish({ state: 'succeeded' }, page);
    expect(read('final/page.html').toString()).not.toContain('secret option');
  });
});

describe('network log', () => {
  interface Entry {
    pageref: string;
    request: { method: string; url: string; headers: { name: string; value: string }[]; postData?: object };
    response: { status: number; content: { text?: string } };
  }
  const entries = (): Entry[] =>
    (JSON.parse(read('network.har').toString()) as { log: { entries: Entry[] } }).log.entries;

  test('has each request with its answer, masked as the trace is', async () => {
    const it = recorder('DEBUG', { ffmpeg: null });
    await it.attach(context, page);
    await page.goto(server.url);
    it.maskValue(SECRET);
    const responded = page.waitForResponse('**/api*');
    await page.evaluate(async () => {
      const headers = { authorization: 'Bearer of-the-page', 'content-type': 'application/json' };
      await fetch('/api?token=in-address', { method: 'POST', headers, body: '{"password":"in-body","a":1}' });
      await fetch('/missing');
    });
    await (await responded).body();
    await it.finish({ state: 'succeeded' }, page);
    const [first, api, missing] = entries();
    expect(first).toMatchObject({ request: { method: 'GET', url: `${server.url}/` } });
    expect(first!.response.content.text).toContain('<input id=pw type=password>');
    expect(api).toMatchObject({
      request: {
        method: 'POST',
        url: `${server.url}/api?token=[masked]`,
        postData: { text: '{"password":"[masked]","a":1}' },
      },
      response: { status: 200, content: { text: '{"access_token":"[masked]","note":"[masked]"}' } },
    });
    expect(api!.request.headers).toContainEqual({ name: 'authorization', value: '[masked]' });
    expect(missing).toMatchObject({ response: { status: 404 } });
    expect(find('network.har').masked).toBeGreaterThan(4);
  });

  test('of a browser that stays open begins with its own run, also in a profile', async () => {
    const profile = await openProfile(runDir);
    for (const path of ['/', '/next']) {
      artifacts = [];
      const it = recorder('DEBUG', { keepsPages: true, ffmpeg: null });
      const kept = profile.pages()[0]!;
      await it.attach(profile, kept);
      await kept.goto(server.url + path);
      await it.finish({ state: 'succeeded' }, kept);
      expect(entries().map(({ request }) => request.url)).toEqual([server.url + path]);
    }
    await profile.close();
  });
});

describe('files', () => {
  test('a download is an artifact where the level has data', async () => {
    const path = join(runDir, 'Bericht März.PDF');
    writeFileSync(path, 'pdf');
    const it = recorder('INFO');
    await it.attach(context, page);
    const plain = { path, contentType: 'application/pdf', kind: 'download' as const };
    expect(await it.addFile({ ...plain, name: 'Bericht März.PDF' })).toMatchObject({
      key: 'files/000-bericht-marz.pdf',
      path,
      sizeBytes: 3,
      upload: true,
      keep: false,
    });
    it.stepStarted(step('download', { stepNumber: 2 }));
    await it.beforeActing();
    expect(await it.addFile({ ...plain, name: 'README' })).toMatchObject({
      key: 'files/002-readme.bin',
      stepNumber: 2,
    });
    await it.finish({ state: 'succeeded' }, page);
  });
});

describe('somebody watches', () => {
  const collector = (live: boolean) => {
    const times: number[] = [];
    return {
      times,
      fps: 60,
      ...(live ? { live: true as const } : {}),
      onFrame: () => void times.push(Date.now()),
    };
  };

  test('also where nothing is recorded, with masks, from page to page, and leaves nothing behind', async () => {
    const it = recorder('NONE');
    await it.attach(context, page);
    await page.goto(server.url);
    const watcher = collector(true);
    const cast = await it.watch();
    cast.subscribe(watcher);
    await until(() => watcher.times.length > 0, 'a frame');
    const other = await context.newPage();
    await other.goto(`${server.url}/next`);
    await it.pageChanged(other);
    const seen = watcher.times.length;
    await until(() => watcher.times.length > seen, 'a frame of the other page');
    await it.finish({ state: 'succeeded' }, other);
    expect(keys()).toEqual([]);
    expect(cast.last).toBeUndefined();
  });

  test('what a person types is in no artifact, and nothing is filmed meanwhile', async () => {
    const it = recorder('TRACE');
    await it.attach(context, page);
    await does(it, step('navigate'), () => page.goto(server.url));
    const cast = await it.watch();
    const watcher = collector(true);
    const filmed = collector(false);
    cast.subscribe(watcher);
    cast.subscribe(filmed);
    await until(() => filmed.times.length > 0, 'a frame for the film');
    const done = await it.personActs();
    const from = Date.now();
    const session = await context.newCDPSession(page);
    await page.focus('#q');
    for (const text of ['quiet', '-moor', '-4711']) await session.send('Input.insertText', { text });
    await page.evaluate(() => {
      document.querySelector('#out')!.textContent = `You said ${document.querySelector('input')!.value}`;
    });
    const typedMs = Date.now();
    await until(() => watcher.times.some((time) => time > typedMs), 'a frame for who watches');
    expect(filmed.times.filter((time) => time > from)).toEqual([]);
    await done();
    await done();
    await until(() => filmed.times.some((time) => time > typedMs), 'the film going on');
    await does(it, step('extract_dom'), async () => {}, {
      data: { said: await page.textContent('#out') },
    });
    expect(await page.inputValue('#q')).toBe('quiet-moor-4711');
    await it.finish({ state: 'succeeded' }, page);
    expect(everything()).not.toContain('quiet-moor');
    expect(keys()).toContain('video.webm');
  });

  test('a run that ends under a person hides what they typed', async () => {
    const it = recorder('INFO');
    await it.attach(context, page);
    await does(it, step('navigate'), () => page.goto(server.url));
    await it.personActs();
    await page.focus('#q');
    const session = await context.newCDPSession(page);
    await session.send('Input.insertText', { text: 'quiet-moor-4711' });
    await it.failure({ name: 'BrowserAgent.HumanTimeout', message: 'too long' }, page);
    await it.finish({ state: 'failed', error: { name: 'E', message: 'too long' } }, page);
    expect(keys()).toContain('failure/page.html');
    expect(everything()).not.toContain('quiet-moor');
  });
});
