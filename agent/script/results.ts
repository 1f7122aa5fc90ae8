import type { StepMeta, StepResult } from './interpreter.ts';
import type { Done, Failed } from './flow.ts';

/** Stands for a failure that no step caused. */
export const NO_STEP = {
  name: 'goto',
  action: 'goto',
  attempt: 1,
  key: false,
  sensitive: false,
} as const;

/** Report of a step that has ended. */
export function resultOf(
  meta: StepMeta,
  done: Done | undefined,
  failed: Failed | undefined,
  durationMs: number,
  conditionErrors: string[],
): StepResult {
  const error = failed?.error;
  const url = done?.url ?? error?.data['url'];
  return {
    ...done?.fields,
    step_number: meta.stepNumber,
    name: meta.name,
    action: meta.action,
    success: failed === undefined,
    duration_ms: durationMs,
    ...(meta.attempt > 1 ? { attempts: meta.attempt } : {}),
    ...(typeof url === 'string' ? { url } : {}),
    ...(done?.data ? { data: done.data } : {}),
    ...(conditionErrors.length > 0 ? { condition_errors: conditionErrors } : {}),
    ...(error ? { error: { name: error.errorName, message: error.message } } : {}),
  };
}
