/**
 * A state machine definition, checked and made ready for the interpreter. What neither the interpreter
 * (aws-local-stepfunctions) nor our rewriting for it can do is refused here, when the machine is created,
 * rather than met halfway through an execution.
 */
import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { messageOf } from '../../base/errors.ts';
import {
  isMap,
  LONGEST_TIMER_SECONDS,
  rewriteMachine,
  type ActivityTaskState,
  type Json,
  type JsonMap,
} from './rewrite.ts';

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

const ACTIVITY_ARN = /^"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:.+"$/;

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
  const rewritten = rewriteMachine(parsed, tasks);
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
    const resource = JSON.stringify(state['Resource'] ?? null);
    if (state['Type'] === 'Task' && !ACTIVITY_ARN.test(resource)) {
      unsupported(`the task resource ${resource}, only activities`, `${location}/Resource`);
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

function isPathKey(key: string): boolean {
  return key.endsWith('.$') || key.endsWith('Path') || key === 'Variable';
}
