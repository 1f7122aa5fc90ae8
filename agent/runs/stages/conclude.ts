/** From the last stage that a run reached to its result: in its row, as an event and for the caller. */
import { maskText } from '../../base/mask-sensitive.ts';
import type { AgentError } from '../../base/errors.ts';
import type { RecordingSummary } from '../../recording/types.ts';
import type { StepResult } from '../../script/interpreter.ts';
import { CONTROL_ACTIONS, type Script } from '../../script/schema.ts';
import type { RunEngineOptions } from '../engine-options.ts';
import { withoutSecrets } from '../kept-request.ts';
import { buildCause, buildResult, type RunFailure } from '../result.ts';
import { endOf, type StepsEnd } from '../run-end.ts';
import type { RunOutcome } from '../types.ts';
import { UNREADABLE_SCRIPT } from './queue.ts';
import type { Reached, Recording } from './types.ts';

/** How long `recording.wait_for_uploads` waits for the evidence of one run. */
const WAIT_FOR_UPLOADS_MS = 120_000;

export interface Finished {
  /** The last stage before the end. */
  run: Reached;
  steps: StepsEnd;
  summary: RecordingSummary | null;
}

export async function conclude(
  { run, steps, summary }: Finished,
  options: RunEngineOptions,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { runs, clock, events } = options;
  const { request, redactor } = run;
  const { runId } = request;
  const script = 'script' in run ? run.script : null;
  const evidence = 'evidence' in run ? run.evidence : null;
  const outcome = steps.kind === 'returned' ? steps.outcome : null;
  const done = outcome?.steps ?? ('steps' in run ? run.steps : []);
  // Asked again: the lease may have been lost while the recording was finished.
  const { state, error } = endOf(steps, signal);

  const pending =
    run.stage === 'recording' ? await settleUploads(run, options, { mayWait: state !== 'lost' }) : 0;
  await evidence?.tidy();

  const failure: RunFailure | null = error
    ? failureOf(run, error, { done, failedStep: outcome?.failedStep?.stepNumber })
    : null;
  const totals = evidence?.totals() ?? { files: 0, sizeBytes: 0 };
  const result = redactor.redactJson(
    buildResult({
      success: state === 'succeeded',
      runId,
      executionId: script?.execution_id ?? null,
      scriptName: script?.name ?? UNREADABLE_SCRIPT,
      steps: done,
      stepsTotal: outcome?.stepsTotal ?? script?.steps.length ?? 0,
      data: outcome?.data ?? {},
      error: failure,
      profile: 'browser' in run ? run.browser.profile : null,
      mode: script && isWorkflow(script) ? 'workflow' : 'linear',
      durationMs: clock.monotonic() - run.startedMs,
      recording: {
        level: run.level,
        manifestUri: evidence?.uriOf('manifest.json') ?? null,
        files: totals.files,
        sizeBytes: totals.sizeBytes,
        pending,
        problems: [...(summary?.problems ?? []), ...(evidence?.problems ?? [])],
      },
      pictures: evidence?.stepPictures() ?? [],
      uriOf: (key) => evidence?.uriOf(key) ?? null,
    }),
  );
  const cause = failure
    ? redactor.redactJson(buildCause(runId, failure, evidence?.failureUris() ?? []))
    : null;
  const message = error ? redactor.redactText(error.message) : null;
  if ('keptRequest' in run) {
    const cleaned = withoutSecrets(run.keptRequest, (text) => redactor.contains(text));
    if (cleaned) runs.setRequest(runId, cleaned);
  }

  runs.transition(runId, state, {
    now: clock.now(),
    result,
    ...(error ? { errorName: error.errorName, errorMessage: message ?? '' } : {}),
  });
  events.emit({
    type: 'run.finished',
    runId,
    state,
    durationMs: clock.monotonic() - run.startedMs,
    ...(error ? { errorName: error.errorName, message: message ?? '' } : {}),
  });
  return {
    runId,
    state,
    result,
    ...(error && cause ? { error: { name: error.errorName, message: message ?? '', cause } } : {}),
    returnOnFailure: script?.on_failure === 'return',
  };
}

/** @returns how many files are still on their way to S3 */
async function settleUploads(
  { request, settings, evidence }: Recording,
  { uploads }: RunEngineOptions,
  { mayWait }: { mayWait: boolean },
): Promise<number> {
  const { files } = evidence.totals();
  if (!uploads || files === 0) return 0;
  const { pending, failed } = await uploads.settle(request.runId, {
    deadlineMs: settings.recording.waitForUploads && mayWait ? WAIT_FOR_UPLOADS_MS : 0,
  });
  const reason = pending > 0 ? uploads.lastError(request.runId) : null;
  if (reason !== null) evidence.problems.push(`not in S3 yet (${pending} of ${files} files): ${reason}`);
  if (failed > 0) evidence.problems.push(`${failed} files could not be uploaded`);
  return pending;
}

function failureOf(
  run: Reached,
  error: AgentError,
  { done, failedStep }: { done: readonly StepResult[]; failedStep: number | undefined },
): RunFailure {
  const step =
    done.find((candidate) => candidate.step_number === failedStep) ??
    done.findLast((candidate) => !candidate.success) ??
    null;
  const url = typeof step?.url === 'string' ? step.url : 'page' in run ? run.page.last.url() : null;
  return { error, step, url: url === null ? null : maskText(url) };
}

function isWorkflow(script: Script): boolean {
  const control: readonly string[] = CONTROL_ACTIONS;
  return script.steps.some((step) => control.includes(step.action) || step.next !== undefined);
}
