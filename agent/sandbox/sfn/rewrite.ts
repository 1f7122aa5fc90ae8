/**
 * A definition in the interpreter's terms. The interpreter knows the language but not activities, and
 * differs from the service in small ways; the copy made here says the same as the original in words it
 * handles.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = { [key: string]: Json };

/** One Task state whose resource is an activity. */
export interface ActivityTaskState {
  name: string;
  activityArn: string;
  timeoutSeconds?: number;
  heartbeatSeconds?: number;
  /** Whether a Retry or Catch names States.DataLimitExceeded: States.ALL does not match it. */
  handlesDataLimit: boolean;
  /** Its handler gets a {@link TaskEnvelope}; else the effective input as it is. */
  hasEnvelope: boolean;
}

/** What the interpreter hands to the handler of a task: see {@link rewriteTask}. */
export interface TaskEnvelope {
  payload: unknown;
  timeoutSeconds?: unknown;
  heartbeatSeconds?: unknown;
}

/** The interpreter defaults to 60 s; tasks end by our own timers, so it gets the longest a timer can take. */
export const LONGEST_TIMER_SECONDS = 2_147_483;

export function rewriteMachine(machine: JsonMap, tasks: ActivityTaskState[]): JsonMap {
  const states: JsonMap = {};
  for (const [name, state] of Object.entries(machine['States'] as JsonMap)) {
    states[name] = rewriteState(name, state as JsonMap, tasks);
  }
  return { ...machine, States: states };
}

function rewriteState(name: string, original: JsonMap, tasks: ActivityTaskState[]): JsonMap {
  const state = rewriteFields(original, name);
  for (const rule of [...rulesOf(state, 'Retry'), ...rulesOf(state, 'Catch')]) {
    const names = rule['ErrorEquals'] as string[];
    // The documentation counts a missed heartbeat among States.Timeout; the interpreter compares names.
    if (names.includes('States.Timeout') && !names.includes('States.HeartbeatTimeout')) {
      rule['ErrorEquals'] = [...names, 'States.HeartbeatTimeout'];
    }
  }
  switch (state['Type']) {
    case 'Task':
      rewriteTask(name, state, tasks);
      break;
    case 'Pass':
      // The interpreter overlooks a Result that is false, 0, "" or null.
      if ('Result' in state && !state['Result']) {
        state['Parameters'] = state['Result'] ?? null;
        delete state['Result'];
      }
      break;
    case 'Map':
      for (const field of ['Iterator', 'ItemProcessor']) {
        if (field in original) state[field] = rewriteMachine(original[field] as JsonMap, tasks);
      }
      break;
    case 'Parallel':
      state['Branches'] = (original['Branches'] as JsonMap[]).map((branch) => rewriteMachine(branch, tasks));
      break;
    default:
      break;
  }
  return state;
}

/**
 * The handler of a task gets only the effective input. Where the time limits have …Path forms, that becomes
 * an envelope with both, so that the interpreter resolves the paths against the state's own input. Elsewhere
 * it does not: the interpreter finds nothing at the path `$` of an input that is null, false, 0 or "".
 */
function rewriteTask(name: string, state: JsonMap, tasks: ActivityTaskState[]): void {
  const task: ActivityTaskState = {
    name,
    activityArn: state['Resource'] as string,
    handlesDataLimit: [...rulesOf(state, 'Retry'), ...rulesOf(state, 'Catch')].some((rule) =>
      (rule['ErrorEquals'] as string[]).includes('States.DataLimitExceeded'),
    ),
    hasEnvelope: 'TimeoutSecondsPath' in state || 'HeartbeatSecondsPath' in state,
  };
  if (typeof state['TimeoutSeconds'] === 'number') task.timeoutSeconds = state['TimeoutSeconds'];
  if (typeof state['HeartbeatSeconds'] === 'number') task.heartbeatSeconds = state['HeartbeatSeconds'];
  tasks.push(task);
  if (task.hasEnvelope) {
    const envelope: JsonMap =
      'Parameters' in state ? { payload: state['Parameters'] ?? null } : { 'payload.$': '$' };
    if ('TimeoutSecondsPath' in state) envelope['timeoutSeconds.$'] = state['TimeoutSecondsPath'] ?? null;
    if ('HeartbeatSecondsPath' in state)
      envelope['heartbeatSeconds.$'] = state['HeartbeatSecondsPath'] ?? null;
    state['Parameters'] = envelope;
  }
  delete state['TimeoutSecondsPath'];
  state['TimeoutSeconds'] = LONGEST_TIMER_SECONDS;
}

function rulesOf(state: JsonMap, field: 'Retry' | 'Catch'): JsonMap[] {
  const rules = state[field];
  return Array.isArray(rules) ? (rules as JsonMap[]) : [];
}

/**
 * A copy of a state in the interpreter's terms:
 * - `ResultPath: "$"` (the default) would become a field named `$`; `$['a']` is written as it reads it;
 * - `InputPath: "$"` and `OutputPath: "$"` (the defaults) would find nothing in null, false, 0 and "";
 * - `IsPresent: false` and its like never match: they become the negation of `true`;
 * - `$$.State.Name` is known now; the interpreter shows a nested execution's `$$.Execution`, so the real
 *   one goes by `$$.Run`.
 */
function rewriteFields(original: JsonMap, name: string): JsonMap {
  const state: JsonMap = {};
  for (const [key, value] of Object.entries(original)) {
    if (key === 'ResultPath' && typeof value === 'string') setResultPath(state, value);
    else if ((key === 'InputPath' || key === 'OutputPath') && value === '$') continue;
    else if (key.endsWith('Path') && typeof value === 'string') state[key] = realExecution(value);
    else if (TEMPLATE_FIELDS.has(key)) state[key] = rewriteTemplate(value, name);
    else if (key === 'Choices') state[key] = (value as JsonMap[]).map((rule) => rewriteChoice(rule));
    else state[key] = structuredClone(value);
  }
  if (Array.isArray(original['Catch'])) {
    state['Catch'] = (original['Catch'] as JsonMap[]).map(({ ResultPath: path, ...rest }) => {
      const rule: JsonMap = structuredClone(rest);
      if (typeof path === 'string') setResultPath(rule, path);
      else if (path !== undefined) rule['ResultPath'] = path;
      return rule;
    });
  }
  return state;
}

const TEMPLATE_FIELDS = new Set(['Parameters', 'ItemSelector', 'ResultSelector']);

function setResultPath(target: JsonMap, path: string): void {
  if (path !== '$') target['ResultPath'] = path.replace(/^\$\[/, '$.[');
}

function rewriteTemplate(value: Json, stateName: string): Json {
  if (Array.isArray(value)) return value.map((item) => rewriteTemplate(item, stateName));
  if (!isMap(value)) return value;
  const copy: JsonMap = {};
  for (const [key, item] of Object.entries(value)) {
    if (key.endsWith('.$') && item === '$$.State.Name') copy[key.slice(0, -2)] = stateName;
    else if (key.endsWith('.$') && typeof item === 'string') copy[key] = realExecution(item);
    else copy[key] = rewriteTemplate(item, stateName);
  }
  return copy;
}

function rewriteChoice(rule: JsonMap): JsonMap {
  const copy: JsonMap = {};
  for (const [key, value] of Object.entries(rule)) {
    if (Array.isArray(value)) copy[key] = (value as JsonMap[]).map((inner) => rewriteChoice(inner));
    else if (isMap(value)) copy[key] = rewriteChoice(value);
    else if (typeof value === 'string' && (key === 'Variable' || key.endsWith('Path'))) {
      copy[key] = realExecution(value);
    } else copy[key] = value;
  }
  const test = Object.keys(copy).find((key) => /^Is[A-Z]/.test(key));
  if (test === undefined || copy[test] !== false) return copy;
  const { Variable: variable, [test]: _false, ...rest } = copy;
  return { ...rest, Not: { Variable: variable ?? null, [test]: true } };
}

function realExecution(path: string): string {
  return path.replaceAll('$$.Execution', () => '$$.Run');
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
