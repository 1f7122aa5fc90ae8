/**
 * One run, from the request to its result: joins script, browser and recording. What each stage makes is undone
 * when the run ends, in whichever stage that is: its undoing is registered as soon as it is made.
 */
import { redactLogs, withRunId, type LogRedactor } from '../base/log.ts';
import { Redactor } from '../recording/redaction.ts';
import type { RecordingSummary } from '../recording/types.ts';
import type { RunEngineOptions } from './engine-options.ts';
import { levelOf } from './prepare.ts';
import type { StepsEnd } from './run-end.ts';
import { conclude } from './stages/conclude.ts';
import { finishRecording } from './stages/finish.ts';
import { choosePage, markRunning, openBrowser } from './stages/open.ts';
import { performSteps } from './stages/perform.ts';
import { queueRun } from './stages/queue.ts';
import { guardPages, makeRecorder } from './stages/record.ts';
import type { Asked, Reached } from './stages/types.ts';
import type { RunControl, RunExecutor, RunOutcome, RunRequest } from './types.ts';

export class RunEngine implements RunExecutor {
  readonly #options: RunEngineOptions;

  constructor(options: RunEngineOptions) {
    this.#options = options;
  }

  async execute(request: RunRequest, control: RunControl): Promise<RunOutcome> {
    const { clock, log } = this.#options;
    const settings = this.#options.settings();
    const redactor = new Redactor({ selectors: settings.recording.maskSelectors });
    for (const value of control.kept?.secrets ?? []) redactor.add(value);
    const stopRedacting = redactLogs(logRedactor(redactor));
    try {
      return await withRunId(request.runId, () =>
        this.#execute(
          {
            stage: 'asked',
            request,
            settings,
            redactor,
            log: log.child({ runId: request.runId }),
            startedMs: clock.monotonic(),
            level: levelOf(request, null, settings),
          },
          control,
        ),
      );
    } finally {
      stopRedacting();
      for (const value of redactor.values) control.kept?.secrets.add(value);
    }
  }

  async #execute(asked: Asked, control: RunControl): Promise<RunOutcome> {
    const { signal, kept } = control;
    const options = this.#options;
    let run: Reached = asked;
    let steps: StepsEnd;
    let summary: Promise<RecordingSummary | null>;
    {
      await using stack = new AsyncDisposableStack();
      try {
        run = await queueRun(run, options);
        signal.throwIfAborted();
        run = await openBrowser(run, { ...options, stack, signal, kept });
        run = await choosePage(run, kept);
        markRunning(run, options);
        run = await guardPages(run, { stack, kept });
        run = makeRecorder(run, options, { keepsPages: kept !== undefined });
        await run.recorder.attach(run.browser.session.context, run.page.last);
        steps = { kind: 'returned', outcome: await performSteps(run, { ...options, stack, control }) };
      } catch (thrown) {
        steps = { kind: 'thrown', thrown };
      }
      // The browser may close as soon as the recorder no longer needs it; the recording can take longer.
      const released = Promise.withResolvers<void>();
      summary = finishRecording(run, steps, { signal, onReleased: released.resolve });
      await Promise.race([released.promise, summary]);
    }
    return conclude({ run, steps, summary: await summary }, options, signal);
  }
}

/** Counts nothing: what is hidden in a log line is not masked evidence, so it has a redactor of its own. */
function logRedactor(redactor: Redactor): LogRedactor {
  return {
    contains: (text) => redactor.contains(text),
    redact: (fields) => new Redactor({ values: redactor.values }).redactJson(fields),
  };
}
