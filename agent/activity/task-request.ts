/** From the text of an activity task to what the run engine is asked for, and back to the output's shape. */
import type { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { RunRequest } from '../runs/types.ts';
import { parseTaskInput, taskOutput } from '../script/task-input.ts';

export type ReadTask =
  | { ok: true; request: RunRequest; wrap: (result: JsonObject) => JsonValue }
  | { ok: false; error: AgentError };

export function readTask(text: string, ids: { runId: string; taskId: string }): ReadTask {
  const parsed = parseTaskInput(text);
  if (!parsed.ok) return parsed;
  const { run, recordingLevel, agentName } = parsed.input;
  return {
    ok: true,
    request: {
      ...ids,
      input: run,
      ...(recordingLevel === undefined
        ? {}
        : { level: { level: recordingLevel, reason: 'recording_level of the task input' } }),
      ...(agentName === undefined ? {} : { agentName }),
    },
    wrap: (result) => taskOutput(parsed.input, result),
  };
}

/** The output's shape alone, for a run that has ended already. */
export function wrapperOf(text: string): (result: JsonObject) => JsonValue {
  const parsed = parseTaskInput(text);
  return parsed.ok ? (result) => taskOutput(parsed.input, result) : (result) => result;
}
