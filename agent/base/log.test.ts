import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger, redactLogs, withRunId, type Logger, type LogRedactor } from './log.ts';
import type { JsonObject } from './words.ts';

let sink: number;
let lines: string[];
let log: Logger;

beforeEach(() => {
  sink = openSync(devNull, 'w');
  lines = [];
  log = createLogger({ level: 'trace', to: sink, file: { write: (line) => lines.push(line) } });
});

afterEach(() => closeSync(sink));

const logged = (): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

/** Masks one value, as the redactor of a run does it with many. */
function hide(value: string): LogRedactor {
  return {
    contains: (text) => text.includes(value),
    redact: (fields) =>
      JSON.parse(
        JSON.stringify(fields, (_key, field: unknown) =>
          typeof field === 'number' && String(field) === value ? '[masked]' : field,
        ).replaceAll(value, '[masked]'),
      ) as JsonObject,
  };
}

describe('a line', () => {
  test('of a run has its id, also when something logs it that knows nothing of runs', async () => {
    await withRunId('r1', async () => {
      log.info('at once');
      await turn();
      log.child({ part: 'browser' }).warn('later');
      log.info({ runId: 'another' }, 'that names one itself');
      log.child({ runId: 'child' }).info('of a child that names one');
    });
    log.info('of no run');
    expect(logged().map(({ runId }) => runId)).toEqual(['r1', 'r1', 'another', 'child', undefined]);
    for (const line of lines) expect(line.match(/"runId"/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  test('has no credential in it that shows by its form', () => {
    log.error(
      { err: new Error('GET https://ann:canary-1@host/?X-Amz-Signature=canary2 failed') },
      'Authorization: Bearer canary-3.aaaa, key AKIACANARY4CANARY444',
    );
    expect(lines.join('')).not.toMatch(/canary/i);
    expect(lines.join('')).toContain('https://[masked]@host/?X-Amz-Signature=[masked]');
    log.info('Basic functions work, and a bearer of news');
    expect(logged().at(-1)!['msg']).toBe('Basic functions work, and a bearer of news');
  });
});

describe('what a run must hide', () => {
  test('is masked in every line of every logger, children and errors included, and the line stays JSON', () => {
    const child = log.child({ part: 'canary in a child' });
    const forget = redactLogs(hide('canary'));
    child.error({ err: new Error('fill("canary") failed'), at: { canary: ['canary'] } }, 'with canary');
    createLogger({ to: sink, file: { write: (line) => lines.push(line) } }).info('canary');
    forget();
    expect(lines.join('')).not.toContain('canary');
    expect(logged()[0]).toMatchObject({
      level: 50,
      pid: process.pid,
      msg: 'with [masked]',
      err: { message: 'fill("[masked]") failed' },
    });
  });

  test('cannot break the logger’s own fields', () => {
    redactLogs(hide(String(process.pid)))();
    log.info(`process ${process.pid}`);
    expect(logged()[0]).toMatchObject({ level: 30, pid: process.pid, msg: 'process [masked]' });
  });

  test('that cannot be masked is left out: the line says that it was', () => {
    const forget = redactLogs({
      contains: (text) => text.includes('odd'),
      redact: () => {
        throw new Error('odd');
      },
    });
    log.warn('something odd');
    log.info('something else');
    forget();
    expect(logged()).toMatchObject([
      { level: 40, msg: 'a line that could not be redacted was left out' },
      { level: 30, msg: 'something else' },
    ]);
  });

  test('is still masked a little after its end, but not remembered for ever', () => {
    redactLogs(hide('canary'))();
    log.info('canary');
    expect(lines[0]).toContain('[masked]');
    for (let n = 0; n < 20; n += 1) redactLogs(hide(`value-${n}`))();
    log.info('canary');
    expect(lines[1]).toContain('canary');
  });
});
