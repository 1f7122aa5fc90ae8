/**
 * A state machine definition, checked and made ready for the interpreter.
 *
 * The interpreter (aws-local-stepfunctions) knows the language but not activities, and differs from the
 * service in small ways; the copy it is given says the same in terms it handles. What neither can do is
 * refused here, when the machine is created, rather than met halfway through an execution.
 */
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { messageOf } from '../../base/errors.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonMap = { [key: string]: Json };

/** One Task state whose resource is an activity. */
export interface ActivityTaskState {
  name: string;
  activityArn: string;
  /** The Map and Parallel states around it, outermost first: when one of them fails, its task is dropped. */
  within: string[];
  timeoutSeconds?: number;
  heartbeatSeconds?: number;
  /** Whether a Retry or Catch names States.DataLimitExceeded: States.ALL does not match it. */
  handlesDataLimit: boolean;
}

export interface CompiledMachine {
  machine: StateMachine;
  tasks: ActivityTaskState[];
}

export interface DefinitionProblem {
  severity: 'ERROR' | 'WARNING';
  code: string;
  message: string;
  location: string;
}

/** What the interpreter hands to the handler of a task: see {@link rewriteTask}. */
export interface TaskEnvelope {
  payload: unknown;
  timeoutSeconds?: unknown;
  heartbeatSeconds?: unknown;
}

/** The interpreter defaults to 60 s; tasks end by our own timers, so it gets the longest a timer can take. */
const LONGEST_TIMER_SECONDS = 2_147_483;

const ACTIVITY_ARN = /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:.+$/;

/** Fields that need what the interpreter does not have, and what to say about them. */
const UNSUPPORTED_FIELDS: Record<string, string> = {
  Assign: 'variables',
  Arguments: 'JSONata',
  Output: 'JSONata',
  ItemReader: 'distributed Map states',
  ItemBatcher: 'distributed Map states',
  ResultWriter: 'distributed Map states',
  ToleratedFailureCount: 'distributed Map states',
  ToleratedFailureCountPath: 'distributed Map states',
  ToleratedFailurePercentage: 'distributed Map states',
  ToleratedFailurePercentagePath: 'distributed Map states',
  Credentials: 'cross-account tasks',
};

const INTRINSICS = new Set(
  'Format StringToJson JsonToString Array ArrayPartition ArrayContains ArrayRange ArrayGetItem ArrayLength ArrayUnique Base64Encode Base64Decode Hash JsonMerge MathRandom MathAdd StringSplit UUID'
    .split(' ')
    .map((name) => `States.${name}`),
);

/** Every problem of a definition; empty when it can be created. */
export function checkDefinition(text: string): DefinitionProblem[] {
  const parsed = parseObject(text);
  if (typeof parsed === 'string') return [problem('INVALID_JSON_DESCRIPTION', parsed, '')];
  const problems: DefinitionProblem[] = [];
  try {
    // A copy: the validator fills in what it checked.
    const definition = structuredClone(parsed) as unknown as StateMachineDefinition;
    if (!usesJsonata(parsed)) void new StateMachine(definition);
  } catch (thrown) {
    for (const line of messageOf(thrown).split('\n').slice(1)) {
      if (line.trim()) problems.push(problem('SCHEMA_VALIDATION_FAILED', line.trim(), ''));
    }
  }
  findUnsupported(parsed, problems);
  return problems;
}

/** Makes a definition that {@link checkDefinition} found nothing wrong with runnable. */
export function compileDefinition(text: string): CompiledMachine {
  const parsed = parseObject(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  const tasks: ActivityTaskState[] = [];
  const rewritten = rewriteMachine(parsed, [], tasks);
  return {
    machine: new StateMachine(rewritten as unknown as StateMachineDefinition, {
      validationOptions: { noValidate: true },
    }),
    tasks,
  };
}

function problem(code: string, message: string, location: string): DefinitionProblem {
  return { severity: 'ERROR', code, message, location };
}

function parseObject(text: string): JsonMap | string {
  try {
    const value = JSON.parse(text) as Json;
    return isMap(value) ? value : 'The definition must be a JSON object';
  } catch (thrown) {
    return `The definition is not valid JSON: ${messageOf(thrown)}`;
  }
}

function usesJsonata(machine: JsonMap): boolean {
  return machine['QueryLanguage'] === 'JSONata';
}

function findUnsupported(machine: JsonMap, problems: DefinitionProblem[]): void {
  const unsupported = (what: string, location: string): void => {
    problems.push(
      problem('SANDBOX_UNSUPPORTED', `The sandbox does not support ${what} (the service does)`, location),
    );
  };
  if (usesJsonata(machine)) unsupported('QueryLanguage JSONata', '/QueryLanguage');
  const names = new Set<string>();
  forEachState(machine, '', (name, state, location) => {
    if (names.has(name)) {
      problems.push(problem('DUPLICATE_STATE_NAME', `State name "${name}" is used more than once`, location));
    }
    names.add(name);
    if (state['QueryLanguage'] === 'JSONata')
      unsupported('QueryLanguage JSONata', `${location}/QueryLanguage`);
    for (const [field, feature] of Object.entries(UNSUPPORTED_FIELDS)) {
      if (field in state) unsupported(feature, `${location}/${field}`);
    }
    const processor = state['ItemProcessor'];
    if (isMap(processor) && isMap(processor['ProcessorConfig'])) {
      const mode = processor['ProcessorConfig']['Mode'];
      if (mode === 'DISTRIBUTED') unsupported('distributed Map states', `${location}/ItemProcessor`);
    }
    if (state['Type'] === 'Task' && !ACTIVITY_ARN.test(String(state['Resource']))) {
      unsupported(`the task resource ${String(state['Resource'])}, only activities`, `${location}/Resource`);
    }
    if (state['Type'] === 'Wait' && Number(state['Seconds'] ?? 0) > LONGEST_TIMER_SECONDS) {
      unsupported(`waits above ${LONGEST_TIMER_SECONDS} s`, `${location}/Seconds`);
    }
    forEachPath(state, location, (path, at) => {
      if (path.includes('$$.State.RetryCount') || path.includes('$$.Task')) {
        unsupported(`the context path ${path}`, at);
      }
      for (const [call] of path.matchAll(/States\.\w+(?=\()/g)) {
        if (!INTRINSICS.has(call)) unsupported(`the intrinsic function ${call}`, at);
      }
    });
  });
}

function forEachState(
  machine: JsonMap,
  location: string,
  visit: (name: string, state: JsonMap, location: string) => void,
): void {
  const states = machine['States'];
  if (!isMap(states)) return;
  for (const [name, state] of Object.entries(states)) {
    if (!isMap(state)) continue;
    const at = `${location}/States/${name}`;
    visit(name, state, at);
    for (const field of ['Iterator', 'ItemProcessor']) {
      const nested = state[field];
      if (isMap(nested)) forEachState(nested, `${at}/${field}`, visit);
    }
    const branches = state['Branches'];
    if (!Array.isArray(branches)) continue;
    branches.forEach((branch, index) => {
      if (isMap(branch)) forEachState(branch, `${at}/Branches[${index}]`, visit);
    });
  }
}

/** Visits every path and intrinsic call of a state, but not those of the states within it. */
function forEachPath(value: Json, location: string, visit: (path: string, location: string) => void): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => forEachPath(item, `${location}[${index}]`, visit));
    return;
  }
  if (!isMap(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'States' || key === 'Result') continue;
    if (typeof item === 'string' && isPathKey(key)) visit(item, `${location}/${key}`);
    else forEachPath(item, `${location}/${key}`, visit);
  }
}

function isPathKey(key: string): boolean {
  return key.endsWith('.$') || key.endsWith('Path') || key === 'Variable';
}

function rewriteMachine(machine: JsonMap, within: string[], tasks: ActivityTaskState[]): JsonMap {
  const states: JsonMap = {};
  for (const [name, state] of Object.entries(machine['States'] as JsonMap)) {
    states[name] = rewriteState(name, state as JsonMap, within, tasks);
  }
  return { ...machine, States: states };
}

function rewriteState(
  name: string,
  original: JsonMap,
  within: string[],
  tasks: ActivityTaskState[],
): JsonMap {
  const state = rewriteFields(original, name);
  for (const rule of [...rulesOf(state, 'Retry'), ...rulesOf(state, 'Catch')]) {
    const names = rule['ErrorEquals'] as string[];
    // The documentation counts a missed heartbeat among States.Timeout; the interpreter compares names.
    if (names.includes('States.Timeout') && !names.includes('States.HeartbeatTimeout')) {
      rule['ErrorEquals'] = [...names, 'States.HeartbeatTimeout'];
    }
  }
  const inner = [...within, name];
  switch (state['Type']) {
    case 'Task':
      rewriteTask(name, state, within, tasks);
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
        if (field in original) state[field] = rewriteMachine(original[field] as JsonMap, inner, tasks);
      }
      break;
    case 'Parallel':
      state['Branches'] = (original['Branches'] as JsonMap[]).map((branch) =>
        rewriteMachine(branch, inner, tasks),
      );
      break;
    default:
      break;
  }
  return state;
}

/**
 * The handler of a task gets only the effective input. Here that becomes an envelope with the input and
 * the time limits, so that the …Path forms are resolved by the interpreter, against the state's own input.
 */
function rewriteTask(name: string, state: JsonMap, within: string[], tasks: ActivityTaskState[]): void {
  const task: ActivityTaskState = {
    name,
    activityArn: state['Resource'] as string,
    within,
    handlesDataLimit: [...rulesOf(state, 'Retry'), ...rulesOf(state, 'Catch')].some((rule) =>
      (rule['ErrorEquals'] as string[]).includes('States.DataLimitExceeded'),
    ),
  };
  if (typeof state['TimeoutSeconds'] === 'number') task.timeoutSeconds = state['TimeoutSeconds'];
  if (typeof state['HeartbeatSeconds'] === 'number') task.heartbeatSeconds = state['HeartbeatSeconds'];
  tasks.push(task);
  const envelope: JsonMap =
    'Parameters' in state ? { payload: state['Parameters'] ?? null } : { 'payload.$': '$' };
  if ('TimeoutSecondsPath' in state) envelope['timeoutSeconds.$'] = state['TimeoutSecondsPath'] ?? null;
  if ('HeartbeatSecondsPath' in state) envelope['heartbeatSeconds.$'] = state['HeartbeatSecondsPath'] ?? null;
  state['Parameters'] = envelope;
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
 * - `IsPresent: false` and its like never match: they become the negation of `true`;
 * - `$$.State.Name` is known now; the interpreter shows a nested execution's `$$.Execution`, so the real
 *   one goes by `$$.Run`.
 */
function rewriteFields(original: JsonMap, name: string): JsonMap {
  const state: JsonMap = {};
  for (const [key, value] of Object.entries(original)) {
    if (key === 'ResultPath' && typeof value === 'string') setResultPath(state, value);
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

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
