/** The result of a run as the script format documents it, and the cause of a failed task. */
import type { AgentError } from '../base/errors.ts';
import { maskText } from '../base/mask-sensitive.ts';
import type { JsonObject, JsonValue, ResolvedLevel } from '../base/words.ts';
import { ACTION_TRAITS } from '../script/actions/index.ts';
import type { StepResult } from '../script/interpreter.ts';
import type { StepPicture } from './evidence.ts';

export interface RecordingFacts {
  level: ResolvedLevel;
  manifestUri: string | null;
  files: number;
  sizeBytes: number;
  /** Uploads that were still on their way when the result was made. */
  pending: number;
  /** What went wrong with the evidence, never with the run itself. */
  problems: string[];
}

export interface ResultFacts {
  success: boolean;
  runId: string;
  executionId: string | null;
  scriptName: string;
  steps: StepResult[];
  stepsTotal: number;
  data: JsonObject;
  error: RunFailure | null;
  profile: string | null;
  mode: 'linear' | 'workflow';
  durationMs: number;
  recording: RecordingFacts;
  /** Of all steps that have one. */
  pictures: StepPicture[];
  /** The S3 URI of an artifact by its key; null for one that stays here. */
  uriOf: (key: string) => string | null;
}

/** What failed, and where. */
export interface RunFailure {
  error: AgentError;
  step: StepResult | null;
  url: string | null;
}

export function buildResult(facts: ResultFacts): JsonObject {
  const steps = facts.steps.map((step) => withUri(step, facts.uriOf));
  const screenshots = steps.filter((step) => step.action === 'screenshot' && step.success).map(screenshotOf);
  return {
    success: facts.success,
    run_id: facts.runId,
    execution_id: facts.executionId,
    script_name: facts.scriptName,
    steps_executed: facts.steps.length,
    steps_total: facts.stepsTotal,
    step_results: steps as unknown as JsonValue[],
    data: facts.data,
    screenshots,
    verification_screenshots: verificationScreenshots(steps, facts.pictures),
    error: facts.error
      ? {
          ...failedStep(facts.error),
          name: facts.error.error.errorName,
          message: maskText(facts.error.error.message),
        }
      : null,
    profile_used: facts.profile,
    execution_mode: facts.mode,
    duration_ms: Math.round(facts.durationMs),
    recording: {
      level: facts.recording.level.level,
      reason: facts.recording.level.reason,
      manifest_s3_uri: facts.recording.manifestUri,
      files: facts.recording.files,
      bytes: facts.recording.sizeBytes,
      pending: facts.recording.pending,
      ...(facts.recording.problems.length > 0 ? { problems: facts.recording.problems } : {}),
    },
  };
}

/** The cause of SendTaskFailure, before it is cut to the service's limit. */
export function buildCause(runId: string, failure: RunFailure, evidence: string[]): JsonObject {
  return {
    run_id: runId,
    ...stepFacts(failure),
    message: maskText(failure.error.message),
    url: failure.url,
    evidence,
    data: failure.error.data as JsonObject,
  };
}

/** In the result `name` is the error's, so the step's is `step_name`. */
function failedStep(failure: RunFailure): JsonObject {
  return failure.step
    ? { step: failure.step.step_number, step_name: failure.step.name, action: failure.step.action }
    : {};
}

function stepFacts(failure: RunFailure): JsonObject {
  return failure.step
    ? { step: failure.step.step_number, name: failure.step.name, action: failure.step.action }
    : {};
}

/** What of a step became a file in S3, with its address there. */
function withUri(step: StepResult, uriOf: ResultFacts['uriOf']): StepResult {
  const uri = typeof step['key'] === 'string' ? uriOf(step['key']) : null;
  return uri === null ? step : { ...step, s3_uri: uri };
}

function verificationScreenshots(
  steps: readonly StepResult[],
  pictures: readonly StepPicture[],
): JsonValue[] {
  const verifications = new Map(
    steps
      .filter(({ action }) => ACTION_TRAITS[action].picture === 'verification')
      .map((step) => [step.step_number, step]),
  );
  return pictures.flatMap(({ stepNumber, path, s3Uri, sizeBytes }) => {
    const step = verifications.get(stepNumber);
    if (!step) return [];
    return [
      {
        step: stepNumber,
        name: step.name,
        success: step.success,
        ...(path === null ? {} : { path }),
        ...(s3Uri === null ? {} : { s3_uri: s3Uri }),
        size_bytes: sizeBytes,
      },
    ];
  });
}

function screenshotOf(step: StepResult): JsonObject {
  const shown: JsonObject = { step: step.step_number, name: step.name };
  for (const key of ['path', 's3_uri', 'size_bytes', 'reason']) {
    const value = step[key];
    if (value !== undefined) shown[key] = value;
  }
  return shown;
}
