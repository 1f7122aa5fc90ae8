import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/fixtures/manual-clock.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { RunOutcome } from '../runs/types.ts';
import { buildReport, OUTPUT_MAX_BYTES, type Offload, type ReportOptions } from './report.ts';

const options = (more: Partial<ReportOptions> = {}): ReportOptions => ({
  wrap: (result) => result,
  clock: new ManualClock(),
  random: () => 0,
  ...more,
});

const succeeded = (result: JsonObject): RunOutcome => ({
  runId: 'run-1',
  state: 'succeeded',
  result: { success: true, run_id: 'run-1', script_name: 'S', ...result },
  returnOnFailure: false,
});

const failed = (more: Partial<RunOutcome> = {}): RunOutcome => ({
  runId: 'run-1',
  state: 'failed',
  result: { success: false },
  error: {
    name: 'BrowserAgent.ElementNotFound',
    message: 'no button',
    cause: { run_id: 'run-1', step: 2, message: 'no button' },
  },
  returnOnFailure: false,
  ...more,
});

/** UTF-8 of `output` is exactly this many bytes, some of them in two-byte characters. */
function resultOfBytes(sizeBytes: number): JsonObject {
  const empty = Buffer.byteLength(JSON.stringify(succeeded({ data: 'éé' }).result));
  return { data: `éé${'x'.repeat(sizeBytes - empty)}` };
}

describe('what Step Functions is told', () => {
  test('a lost run is reported in no way', async () => {
    expect(await buildReport({ ...failed(), state: 'lost' }, options())).toBeNull();
  });

  test('a failed run is a failure with its error name and cause', async () => {
    const report = await buildReport(failed(), options());
    expect(report).toMatchObject({ kind: 'failure', error: 'BrowserAgent.ElementNotFound' });
    expect(report?.kind === 'failure' && JSON.parse(report.cause)).toEqual({
      run_id: 'run-1',
      step: 2,
      message: 'no button',
    });
  });

  test('success:false is sent as a success only when the script said on_failure: return', async () => {
    expect(await buildReport(failed({ returnOnFailure: true }), options())).toMatchObject({
      kind: 'success',
    });
    expect(await buildReport(succeeded({ success: false }), options())).toMatchObject({ kind: 'failure' });
  });

  test('a cancelled run is a failure named Cancelled even when it does not say why', async () => {
    const cancelled: RunOutcome = { runId: 'r', state: 'cancelled', result: {}, returnOnFailure: false };
    expect(await buildReport(cancelled, options())).toMatchObject({ error: 'BrowserAgent.Cancelled' });
  });
});

describe('an output at the limit', () => {
  const stored = { output_s3_uri: 's3://b/k', sha256: 'abc', bytes: 300_000 };

  test('of exactly 262,144 bytes is sent as it is', async () => {
    const report = await buildReport(succeeded(resultOfBytes(OUTPUT_MAX_BYTES)), options());
    expect(report?.kind === 'success' && Buffer.byteLength(report.output)).toBe(OUTPUT_MAX_BYTES);
  });

  test('of one byte more goes to S3, and the output says where', async () => {
    const result = resultOfBytes(OUTPUT_MAX_BYTES + 1);
    const kept: string[] = [];
    const offload: Offload = (_, json) => {
      kept.push(json);
      return Promise.resolve(stored);
    };
    const wrap = (inner: JsonObject): JsonValue => ({ approved: true, tool_input: { script_output: inner } });
    const report = await buildReport(succeeded(result), options({ offload, wrap }));
    expect(JSON.parse(kept[0] ?? '')).toEqual(succeeded(result).result);
    expect(report?.kind === 'success' && JSON.parse(report.output)).toEqual({
      approved: true,
      tool_input: { script_output: { success: true, run_id: 'run-1', script_name: 'S', ...stored } },
    });
  });

  test('without a bucket the task fails and says what to set', async () => {
    const report = await buildReport(succeeded(resultOfBytes(OUTPUT_MAX_BYTES + 1)), options());
    expect(report).toMatchObject({ kind: 'failure', error: 'BrowserAgent.OutputTooLarge' });
    expect(report?.kind === 'failure' && report.cause).toContain('aws.s3_bucket');
  });

  test('when S3 refuses five times the task fails with what S3 said', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const offload: Offload = () => {
      tries += 1;
      return Promise.reject(new Error('NoSuchBucket'));
    };
    const building = buildReport(succeeded(resultOfBytes(OUTPUT_MAX_BYTES + 1)), options({ offload, clock }));
    await clock.advance(60_000);
    const report = await building;
    expect(tries).toBe(5);
    expect(report?.kind === 'failure' && report.cause).toContain('NoSuchBucket');
  });

  test('without the right to write to the bucket the task fails at once, and says what to do', async () => {
    let tries = 0;
    const offload: Offload = () => {
      tries += 1;
      return Promise.reject(Object.assign(new Error('not authorized'), { name: 'AccessDenied' }));
    };
    const report = await buildReport(succeeded(resultOfBytes(OUTPUT_MAX_BYTES + 1)), options({ offload }));
    expect(tries).toBe(1);
    expect(report).toMatchObject({ kind: 'failure', error: 'BrowserAgent.OutputTooLarge' });
    expect(report?.kind === 'failure' && report.cause).toMatch(/MaxRecordingLevel is NONE.*return less/);
  });

  test('an envelope that fills the limit by itself is left out, the pointer is not', async () => {
    const wrap = (inner: JsonObject): JsonValue => ({ context: 'x'.repeat(OUTPUT_MAX_BYTES), inner });
    const offload: Offload = () => Promise.resolve(stored);
    const report = await buildReport(succeeded({}), options({ offload, wrap }));
    expect(report?.kind === 'success' && JSON.parse(report.output)).toMatchObject(stored);
  });
});
