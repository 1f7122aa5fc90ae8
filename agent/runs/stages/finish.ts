/** The end of a recording: the evidence of how the run ended, taken while the browser is still there. */
import { messageOf } from '../../base/errors.ts';
import type { RecordingSummary } from '../../recording/types.ts';
import { endOf, type StepsEnd } from '../run-end.ts';
import type { Reached } from './types.ts';

/**
 * Never throws: a recording that cannot be finished is a problem in the result, not a failure of the run.
 *
 * @param onReleased called when the recorder no longer needs the browser
 * @returns null when nothing was recorded, or when the recording could not be finished
 */
export async function finishRecording(
  run: Reached,
  steps: StepsEnd,
  { signal, onReleased }: { signal: AbortSignal; onReleased: () => void },
): Promise<RecordingSummary | null> {
  if (run.stage !== 'recording') return null;
  const { recorder, evidence, redactor, log } = run;
  const { state, error } = endOf(steps, signal);
  try {
    const page = run.page.open;
    if (error && state !== 'lost') {
      await recorder.failure({ name: error.errorName, message: redactor.redactText(error.message) }, page);
    }
    return await recorder.finish(
      {
        state,
        // Redacted again: what a person typed until the failure is known as a secret only by now.
        ...(error ? { error: { name: error.errorName, message: redactor.redactText(error.message) } } : {}),
        ...(steps.kind === 'returned' ? { data: redactor.redactJson(steps.outcome.data) } : {}),
      },
      page,
      onReleased,
    );
  } catch (caught) {
    log.error({ err: caught }, 'the recording could not be finished');
    evidence.problems.push(`the recording could not be finished: ${messageOf(caught)}`);
    return null;
  }
}
