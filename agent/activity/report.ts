/** From how a run ended to what Step Functions is told. Nothing is sent here: that is the outbox's part. */
import { describeAwsFailure } from '../aws/errors.ts';
import { RETRY_PACE } from '../aws/failure-kinds.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError, messageOf } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { RunOutcome } from '../runs/types.ts';
import type { Report } from '../store/outbox.ts';
import { causeText, errorNameText } from './cause.ts';

/** SendTaskSuccess's `output`: bytes of UTF-8 (Step Functions quotas, "maximum input or output size"). */
export const OUTPUT_MAX_BYTES = 262_144;

/** Tries of an offload before the task is failed: about 15 s in all, the lease is kept meanwhile. */
const OFFLOAD_ATTEMPTS = 5;

export interface Offloaded {
  output_s3_uri: string;
  sha256: string;
  bytes: number;
}

/** Puts JSON text that is too long for an output into S3. */
export type Offload = (runId: string, json: string) => Promise<Offloaded>;

export interface ReportOptions {
  /** Puts the result into the shape the task asked for: the envelope, or the result itself. */
  wrap: (result: JsonObject) => JsonValue;
  /** Absent: no bucket is configured. */
  offload?: Offload | undefined;
  clock: Clock;
  random: () => number;
}

/** @returns null when nothing may be reported: the lease was lost */
export async function buildReport(outcome: RunOutcome, options: ReportOptions): Promise<Report | null> {
  switch (outcome.state) {
    case 'lost':
      return null;
    case 'succeeded':
      // A success that says `success: false` would send the state machine down the wrong way.
      return outcome.result['success'] === false && !outcome.returnOnFailure
        ? failureOf(outcome)
        : successOf(outcome, options);
    case 'failed':
      return outcome.returnOnFailure ? successOf(outcome, options) : failureOf(outcome);
    case 'cancelled':
      return failureOf(outcome);
    default:
      return outcome.state satisfies never;
  }
}

/** A failure that no run stands behind, or that went wrong around one. */
export function failureReport(error: AgentError, facts: JsonObject & { run_id: string }): Report {
  return {
    kind: 'failure',
    error: errorNameText(error.errorName),
    cause: causeText({ message: error.message, ...facts, data: jsonSafe(error.data) }),
  };
}

function failureOf(outcome: RunOutcome): Report {
  if (!outcome.error) {
    const name = outcome.state === 'cancelled' ? 'BrowserAgent.Cancelled' : 'BrowserAgent.Internal';
    const message = `The run ended as ${outcome.state} without saying why.`;
    return failureReport(new AgentError(name, message), { run_id: outcome.runId });
  }
  const { name, message, cause } = outcome.error;
  return {
    kind: 'failure',
    error: errorNameText(name),
    cause: causeText({ ...cause, run_id: outcome.runId, message: cause['message'] ?? message }),
  };
}

async function successOf(outcome: RunOutcome, options: ReportOptions): Promise<Report> {
  const output = JSON.stringify(options.wrap(outcome.result));
  const sizeBytes = Buffer.byteLength(output);
  if (sizeBytes <= OUTPUT_MAX_BYTES) return { kind: 'success', output };
  const { runId } = outcome;
  const tooLarge = (why: string, cause?: unknown): Report =>
    failureReport(
      new AgentError(
        'BrowserAgent.OutputTooLarge',
        `The run worked, but its output is ${sizeBytes} bytes, above the ${OUTPUT_MAX_BYTES} that Step Functions takes, and ${why}`,
        { cause, data: { output_bytes: sizeBytes } },
      ),
      { run_id: runId },
    );
  if (!options.offload) {
    return tooLarge(`there is no bucket to put it into: set aws.s3_bucket, or ${RETURN_LESS}.`);
  }
  try {
    const stored = await withRetries(options.offload, runId, JSON.stringify(outcome.result), options);
    return { kind: 'success', output: pointerOutput(outcome, stored, options) };
  } catch (thrown) {
    if (!isDenied(thrown)) return tooLarge(`could not be put into S3: ${messageOf(thrown)}`, thrown);
    return tooLarge(
      `this agent may not write to the bucket (${messageOf(thrown)}). Where the environment's MaxRecordingLevel is NONE, agents have no rights on it: ${RETURN_LESS}, or let whoever deploys the environment raise that parameter; recording.max_level NONE on this machine then still keeps all evidence here.`,
      thrown,
    );
  }
}

const RETURN_LESS = 'return less with the script\'s "output"';

/** Nobody changes a policy within seconds: it is not tried again. */
function isDenied(thrown: unknown): boolean {
  return describeAwsFailure(thrown, { call: 's3:PutObject', resource: '' }).kind === 'denied';
}

function pointerOutput(outcome: RunOutcome, stored: Offloaded, options: ReportOptions): string {
  const pointer: JsonObject = {
    success: outcome.result['success'] ?? outcome.state === 'succeeded',
    run_id: outcome.runId,
    script_name: outcome.result['script_name'] ?? null,
    output_s3_uri: stored.output_s3_uri,
    sha256: stored.sha256,
    bytes: stored.bytes,
  };
  const wrapped = JSON.stringify(options.wrap(pointer));
  // An envelope can fill the limit by itself; the pointer is what must arrive.
  return Buffer.byteLength(wrapped) <= OUTPUT_MAX_BYTES ? wrapped : JSON.stringify(pointer);
}

async function withRetries(
  offload: Offload,
  runId: string,
  json: string,
  { clock, random }: ReportOptions,
): Promise<Offloaded> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await offload(runId, json);
    } catch (thrown) {
      if (attempt === OFFLOAD_ATTEMPTS || isDenied(thrown)) throw thrown;
      await clock.sleep(backoffMs(RETRY_PACE.fast, attempt, random()));
    }
  }
}

function jsonSafe(data: Record<string, unknown>): JsonObject {
  try {
    return JSON.parse(JSON.stringify(data)) as JsonObject;
  } catch {
    return {}; // detail only: a cycle or a BigInt in it must not cost the report
  }
}
