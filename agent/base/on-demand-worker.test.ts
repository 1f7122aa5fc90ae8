import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OnDemandWorker } from './on-demand-worker.ts';

const SIDE = pathToFileURL(join(import.meta.dirname, 'answer-calls.ts')).href;
const resourceLimits = { maxOldGenerationSizeMb: 32 };

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'worker-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A thread of this program. */
function workerOf(name: string, program: string, idleMs = 1_000): OnDemandWorker<unknown, unknown> {
  const path = join(folder, `${name}.ts`);
  writeFileSync(path, `import { answerCalls } from ${JSON.stringify(SIDE)};\n${program}`);
  return new OnDemandWorker({ entry: pathToFileURL(path), idleMs, resourceLimits });
}

test('there is a thread from the first call until it has been idle', async () => {
  const worker = workerOf('counting', 'let n = 0; answerCalls(() => ({ n: (n += 1) }));', 100);
  expect(await worker.call(1, { limitMs: 5_000 })).toEqual({ kind: 'answered', answer: { n: 1 } });
  expect(await worker.call(2, { limitMs: 5_000 })).toEqual({ kind: 'answered', answer: { n: 2 } });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await worker.call(3, { limitMs: 5_000 })).toEqual({ kind: 'answered', answer: { n: 1 } });
});

test('what throws, ends or takes too much memory is a failed call, and the next one has a new thread', async () => {
  const worker = workerOf(
    'failing',
    `answerCalls((what: string) => {
      if (what === 'throw') throw new Error('no');
      if (what === 'exit') process.exit(3);
      const all: unknown[] = [];
      while (what === 'fill') all.push(new Array(1e5).fill(what + all.length));
      return what;
    });`,
  );
  const options = { limitMs: 30_000 };
  expect(await worker.call('throw', options)).toEqual({ kind: 'failed', problem: 'no' });
  expect(await worker.call('exit', options)).toEqual({
    kind: 'failed',
    problem: 'the thread ended by itself',
  });
  expect(await worker.call('fill', options)).toMatchObject({
    kind: 'failed',
    problem: expect.stringMatching(/memory/i),
  });
  expect(await worker.call('fine', options)).toEqual({ kind: 'answered', answer: 'fine' });
});

test('a program that cannot be loaded is a failed call', async () => {
  const worker = workerOf('broken', 'throw new Error("broken from the start");');
  expect(await worker.call(1, { limitMs: 5_000 })).toEqual({
    kind: 'failed',
    problem: 'broken from the start',
  });
});

test('what is moved is not copied', async () => {
  const worker = workerOf(
    'moving',
    'answerCalls((bytes: Uint8Array<ArrayBuffer>) => bytes.map((each) => each + 1), (bytes) => [bytes.buffer]);',
  );
  const bytes = new Uint8Array([1, 2]);
  const result = await worker.call(bytes, { limitMs: 5_000, transfer: [bytes.buffer] });
  expect(result).toEqual({ kind: 'answered', answer: new Uint8Array([2, 3]) });
  expect(bytes.byteLength).toBe(0);
});
