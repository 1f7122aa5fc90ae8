import { AgentError } from '../base/errors.ts';
import { RECORDING_LEVELS, type JsonObject, type JsonValue, type RecordingLevel } from '../base/words.ts';
import { isPlainObject } from './findings.ts';
import { readSource } from './source.ts';

/** What an activity task asks for, and the shape in which it wants the answer. */
export interface TaskInput {
  run: TaskRun;
  /** The whole input when it was an envelope with `tool_input`: it is given back with the output. */
  envelope: JsonObject | null;
  recordingLevel?: RecordingLevel;
  /** Who asks, for `recording.level_by_agent`: `context.agent_name`, else the state machine's name. */
  agentName?: string;
}

export type TaskRun =
  /** Not parsed yet: `parseScript` says what is wrong with it. */
  | { kind: 'script'; script: JsonValue; variables: JsonObject }
  | { kind: 'stored'; name: string; version?: string; variables: JsonObject }
  | { kind: 'prompt'; prompt: string; startingPage?: string; schema?: JsonObject };

export type TaskInputResult =
  | { ok: true; input: TaskInput }
  /** `envelope`: as far as it could be read, to answer in its shape. */
  | { ok: false; error: AgentError };

/** Reads the input of an activity task. Never throws; what is wrong is BrowserAgent.InvalidInput. */
export function parseTaskInput(text: string): TaskInputResult {
  const read = readSource(text);
  if (!read.ok) return invalid(`The task's input is ${read.finding.message}.`);
  if (!isPlainObject(read.value))
    return invalid(
      'The task\'s input must be a JSON object, with the script under "tool_input" or at its top.',
    );
  const whole = read.value;
  const isEnvelope = Object.hasOwn(whole, 'tool_input');
  const envelope = isEnvelope ? whole : null;
  let body: JsonValue = isEnvelope ? whole['tool_input']! : whole;
  if (typeof body === 'string') {
    const inner = readSource(body);
    if (!inner.ok) return invalid(`"tool_input" is a string, and as one ${inner.finding.message}.`);
    body = inner.value;
  }
  if (!isPlainObject(body))
    return invalid(
      '"tool_input" must be an object: a script, {"script": "name@version"} or {"prompt": "…"}.',
    );

  // The envelope's level stands beside tool_input; a bare input's is the script's own.
  const level = levelOf(
    isEnvelope ? (whole['recording_level'] ?? body['recording_level']) : body['recording_level'],
  );
  if (level === null) return invalid(`"recording_level" must be one of ${RECORDING_LEVELS.join(', ')}.`);
  const run = runOf(body);
  if (typeof run === 'string') return invalid(run);
  const agentName = agentOf(whole['context']);
  return {
    ok: true,
    input: {
      run,
      envelope,
      ...(level ? { recordingLevel: level } : {}),
      ...(agentName ? { agentName } : {}),
    },
  };
}

/** What SendTaskSuccess gets: the result, in the envelope when the input came in one. */
export function taskOutput(input: Pick<TaskInput, 'envelope'>, result: JsonObject): JsonObject {
  if (input.envelope === null) return result;
  return { ...input.envelope, tool_input: { script_output: result }, approved: true };
}

function invalid(message: string): TaskInputResult {
  return { ok: false, error: new AgentError('BrowserAgent.InvalidInput', message) };
}

/** The level, undefined when there is none, null when it is not one. */
function levelOf(value: JsonValue | undefined): RecordingLevel | undefined | null {
  if (value === undefined || value === null) return undefined;
  const upper = typeof value === 'string' ? value.toUpperCase() : '';
  return RECORDING_LEVELS.find((level) => level === upper) ?? null;
}

/** What to run, or what is wrong. */
function runOf(body: JsonObject): TaskRun | string {
  const { script, prompt, variables = {} } = body;
  if (Object.hasOwn(body, 'steps')) return { kind: 'script', script: body, variables: {} };
  if (script !== undefined) {
    if (!isPlainObject(variables)) return '"variables" must be an object of values by name.';
    if (isPlainObject(script)) return { kind: 'script', script, variables };
    if (typeof script !== 'string' || script === '')
      return '"script" must be the name of a stored script, as "name" or "name@version".';
    const at = script.lastIndexOf('@');
    if (at <= 0) return { kind: 'stored', name: script, variables };
    return { kind: 'stored', name: script.slice(0, at), version: script.slice(at + 1), variables };
  }
  if (prompt !== undefined) {
    const page = body['starting_page'] ?? body['starting_url'] ?? body['url'];
    const { schema } = body;
    if (typeof prompt !== 'string' || prompt === '') return '"prompt" must be a text.';
    return {
      kind: 'prompt',
      prompt,
      ...(typeof page === 'string' ? { startingPage: page } : {}),
      ...(isPlainObject(schema) ? { schema } : {}),
    };
  }
  // A script without steps: parsing it says so, with all else that is missing.
  return { kind: 'script', script: body, variables: {} };
}

function agentOf(context: JsonValue | undefined): string | undefined {
  if (!isPlainObject(context)) return undefined;
  for (const key of ['agent_name', 'agent', 'state_machine']) {
    const value = context[key];
    // A state machine may come as its ARN; its name is the last part.
    if (typeof value === 'string' && value !== '') return value.split(':').at(-1);
  }
  return undefined;
}
