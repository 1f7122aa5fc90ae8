/** The order of a recording, with sources that note when they are called. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBrowser, openPage } from '../../test/support/recording.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import type { CaptureSource } from './capture-source.ts';
import { Recorder } from './recorder.ts';
import { Redactor } from './redaction.ts';

let browser: Browser;
let context: BrowserContext;
let page: Page;
let runDir: string;
let calls: string[];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
  runDir = mkdtempSync(join(tmpdir(), 'recorder-order-'));
  calls = [];
});
afterEach(async () => {
  await context.close();
  rmSync(runDir, { recursive: true });
});

function source(reads: CaptureSource['reads'], more: Partial<CaptureSource> = {}): CaptureSource {
  const note = (what: string): void => void calls.push(`${reads} ${what}`);
  return {
    name: reads,
    kinds: ['trace'],
    reads,
    start: () => note('start'),
    step: () => note('step'),
    failure: () => note('failure'),
    stop: () => note('stop'),
    artifacts: () => note('artifacts'),
    ...more,
  };
}

function recorder(sources: CaptureSource[], level: 'INFO' | 'DEBUG' = 'DEBUG'): Recorder {
  const options = {
    runId: 'run-1',
    runDir,
    level: { level, reason: 'of the test' },
    keepLevel: 'NONE' as const,
    redactor: new Redactor(),
    sink: { add: () => {} },
    ffmpeg: null,
    clock: systemClock,
    log: silentLogger,
    facts: { scriptName: 'Test' },
  };
  return new Recorder(options, () => sources);
}

const STEP = { stepNumber: 1, name: 'Open', action: 'navigate' as const, key: false, sensitive: false };

/** A promise, and a function that resolves it. */
function gate(): { passed: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

test('sources are called in their order at each moment, and stop by what they read', async () => {
  const it = recorder([source('frames'), source('page'), source('browser')]);
  await it.attach(context, page);
  it.stepStarted(STEP);
  await it.stepFinished(STEP, { success: false }, page);
  await it.failure({ name: 'x', message: 'y' }, page);
  await it.finish({ state: 'failed' }, page, () => void calls.push('released'));
  const expected = [
    ['frames start', 'page start', 'browser start'],
    ['frames step', 'page step', 'browser step'],
    ['frames failure', 'page failure', 'browser failure'],
    ['browser stop', 'page stop', 'frames stop', 'released'],
    ['browser artifacts', 'page artifacts', 'frames artifacts'],
  ];
  expect(calls).toEqual(expected.flat());
});

test('the browser is free before videos are encoded, and not before the trace has stopped', async () => {
  const traced = gate();
  const encoded = gate();
  const released = gate();
  const it = recorder([
    source('browser', { stop: () => traced.passed }),
    source('frames', {
      stop: () => {
        calls.push('frames stop');
        return encoded.passed;
      },
    }),
  ]);
  await it.attach(context, page);
  const finished = it.finish({ state: 'succeeded' }, page, () => {
    calls.push('released');
    released.open();
  });
  await expect.poll(() => calls).toContain('frames stop');
  expect(calls).not.toContain('released');
  traced.open();
  await released.passed;
  await expect.poll(() => calls).toContain('browser artifacts');
  expect(calls).not.toContain('frames artifacts');
  encoded.open();
  await finished;
  expect(calls).toContain('frames artifacts');
});

test('a source that fails at each moment costs neither the run nor the other sources', async () => {
  const fail = (): never => {
    throw new Error('it broke');
  };
  const broken = { start: fail, frames: fail, step: fail, failure: fail, stop: fail, artifacts: fail };
  const it = recorder([source('browser', broken), source('page')]);
  await it.attach(context, page);
  it.stepStarted(STEP);
  await it.stepFinished(STEP, { success: false }, page);
  await it.failure({ name: 'x', message: 'y' }, page);
  const { problems } = await it.finish({ state: 'failed' }, page);
  expect(problems).toEqual(['no browser: it broke']);
  expect(calls).toEqual(['page start', 'page step', 'page failure', 'page stop', 'page artifacts']);
});

test('a source that no level wants is never called', async () => {
  const it = recorder([source('browser'), source('page', { kinds: ['data'] })], 'INFO');
  await it.attach(context, page);
  await it.finish({ state: 'cancelled' }, page);
  expect(calls).toEqual(['page start', 'page stop', 'page artifacts']);
});
