import { arch, availableParallelism, platform } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { JsonObject, RecordingLevel, ResolvedLevel } from '../base/words.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import type { NewArtifact, RecordedOutcome, RecordedStep, RunFacts } from './types.ts';

export interface RunManifestOptions {
  runId: string;
  level: ResolvedLevel;
  keepLevel: RecordingLevel;
  facts: RunFacts;
  clock: Clock;
}

/** Facts that are known only at the end. */
export interface ManifestEnd {
  outcome: RecordedOutcome;
  /** Milliseconds since the epoch. */
  endedAt: number;
  artifacts: readonly NewArtifact[];
  /** Occurrences of values that were replaced. */
  maskedValues: number;
  framesDropped: number;
  /** Why a video that a level wants is missing. */
  noVideo: string | undefined;
  problems: string[];
}

/** Collects the facts of a run for its manifest. The run starts when this is made. */
export class RunManifest {
  readonly #options: RunManifestOptions;
  readonly #steps: Manifest['steps'] = [];
  readonly #startedAt: number;
  readonly #startedMonotonic: number;

  constructor(options: RunManifestOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#startedMonotonic = options.clock.monotonic();
  }

  step(step: RecordedStep, result: JsonObject & { success: boolean }): void {
    this.#steps.push(stepFacts(step, result));
  }

  build({
    outcome,
    endedAt,
    artifacts,
    maskedValues,
    framesDropped,
    noVideo,
    problems,
  }: ManifestEnd): Manifest {
    const { runId, facts, level, keepLevel, clock } = this.#options;
    return manifestSchema.parse({
      version: 1,
      run: {
        run_id: runId,
        task_id: facts.taskId,
        script_name: facts.scriptName,
        agent: facts.agent,
        environment: facts.environment,
        profile: facts.profile,
        state: outcome.state,
        error: outcome.error,
        started_at: new Date(this.#startedAt).toISOString(),
        ended_at: new Date(endedAt).toISOString(),
        duration_ms: Math.max(0, Math.round(clock.monotonic() - this.#startedMonotonic)),
      },
      recording: { level: level.level, reason: level.reason, keep_level: keepLevel },
      steps: this.#steps.map((step) => ({
        ...step,
        artifacts: artifacts
          .filter(({ stepNumber }) => stepNumber === step.step_number)
          .map(({ key }) => key),
      })),
      artifacts: artifacts.map((artifact) => ({
        kind: artifact.kind,
        key: artifact.key,
        content_type: artifact.contentType,
        size_bytes: artifact.sizeBytes,
        sha256: artifact.sha256,
        masked: artifact.masked,
        step_number: artifact.stepNumber,
        uploaded: artifact.upload,
      })),
      masked: {
        values: maskedValues,
        fields: artifacts.reduce((sum, { masked }) => sum + masked, 0),
        frames_dropped: framesDropped,
      },
      video: artifacts.some(({ kind }) => kind === 'video')
        ? { recorded: true }
        : { recorded: false, reason: noVideo ?? `level ${level.level} has no video` },
      problems,
      machine: {
        platform: platform(),
        arch: arch(),
        node: process.version,
        cores: availableParallelism(),
      },
      browser: facts.browser,
      more: facts.more,
    });
  }
}

function stepFacts(step: RecordedStep, result: JsonObject & { success: boolean }): Manifest['steps'][number] {
  const { error, url, duration_ms: durationMs } = result;
  const isError = typeof error === 'object' && error !== null && !Array.isArray(error);
  return {
    step_number: step.stepNumber,
    name: step.name,
    action: step.action,
    success: result.success,
    ...(typeof durationMs === 'number' ? { duration_ms: durationMs } : {}),
    ...(typeof url === 'string' ? { url } : {}),
    ...(isError ? { error: { name: asText(error['name']), message: asText(error['message']) } } : {}),
    artifacts: [],
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
