/**
 * What a script of the earlier program means here that it did not mean there: the last table of
 * docs/script-format.md, looked up for one script.
 */
import type { JsonObject, JsonValue } from '../base/words.ts';
import { formatPath, type Path } from '../script/problem.ts';
import { ACTION_NAMES, CONTROL_ACTIONS, MODEL_ACTIONS, actionNamed } from '../script/actions/index.ts';
import { MODEL_METHODS } from '../script/schema.ts';
import type { MeaningChange } from './report.ts';

type Locate = (path: Path) => { line: number; column: number } | undefined;

/** An object of the script, as it is met on the way down. */
interface Seen {
  value: JsonObject;
  path: Path;
  /** Its action, when it is a step. */
  action: string | undefined;
  /** How many lists of steps it stands in; 1 is the script's own. */
  depth: number;
  /** The script has steps that steer others: the earlier program ran it by its second engine. */
  workflow: boolean;
}

interface Rule {
  was: string;
  now: string;
  /** Where it applies in this object: a key, or the object itself. */
  at: (seen: Seen) => string | true | undefined;
}

const CONTROL = new Set<string>([...CONTROL_ACTIONS, 'goto']);
const STEPS: ReadonlySet<string> = new Set(ACTION_NAMES);
const MODEL = new Set<string>([...MODEL_ACTIONS, ...MODEL_METHODS]);

const RULES: readonly Rule[] = [
  {
    was: 'a step for a model was done by Nova Act or OpenAI',
    now: 'no model is connected: a run that reaches the step fails with BrowserAgent.StepFailed, which names the steps to use instead',
    at: ({ value, action }) => {
      if (action !== undefined && MODEL.has(actionNamed(action, value) ?? '')) return true;
      if (isModel(value['method'])) return 'method';
      return isObject(value['escalate']) && isModel(value['escalate']['type']) ? 'escalate' : undefined;
    },
  },
  {
    was: 'abort_on_error: false hid failed steps, error and fail: the task succeeded',
    now: 'the run goes on, but fails in the end if a step failed that is not marked "continue_on_error": true; fail always fails',
    at: ({ value, path }) =>
      path.length === 0 && value['abort_on_error'] === false ? 'abort_on_error' : undefined,
  },
  {
    was: 'in workflows retry, delay and default_delay did nothing',
    now: 'they work: the run may take longer',
    at: ({ value, path, action, workflow }) => {
      if (!workflow) return undefined;
      if (path.length === 0) return 'default_delay' in value ? 'default_delay' : undefined;
      if (action === undefined) return undefined;
      if (isObject(value['retry'])) return 'retry';
      return 'delay' in value && action !== 'press' && action !== 'type' ? 'delay' : undefined;
    },
  },
  {
    was: 'retry_if was read only after a step that failed',
    now: 'it is also read after one that worked',
    at: ({ value }) => (value['retry_if'] === undefined ? undefined : 'retry_if'),
  },
  {
    was: 'succeed went on to the next step',
    now: 'it ends the run, or the included script',
    at: ({ action }) => (action === 'succeed' ? true : undefined),
  },
  {
    was: 'in workflows a step that was told by "type" failed',
    now: 'it works: "type" and "action" are the same',
    at: ({ value, action, workflow }) =>
      workflow && value['action'] === undefined && action !== undefined && !CONTROL.has(action)
        ? 'type'
        : undefined,
  },
  {
    was: 'extract_dom always succeeded',
    now: 'it fails when nothing at all was found; say "require": "none" to go on without, "all" to want everything',
    at: ({ value, action }) =>
      action !== undefined && actionNamed(action, value) === 'extract_dom' && value['require'] === undefined
        ? true
        : undefined,
  },
  {
    was: 'execute_js with "return" was a syntax error',
    now: 'it runs',
    at: ({ value, action }) =>
      action === 'execute_js' && /\breturn\b/.test(JSON.stringify(value['script'] ?? value['code'] ?? ''))
        ? true
        : undefined,
  },
  {
    was: 'a jump inside a block took place only after the rest of its top-level step',
    now: 'at once',
    at: ({ value, action, depth }) => {
      if (depth < 2) return undefined;
      return typeof value['goto'] === 'string'
        ? 'goto'
        : action === 'goto' && value['url'] === undefined
          ? true
          : undefined;
    },
  },
  {
    was: '"next" and "end" counted at the top only',
    now: 'they count everywhere',
    at: ({ value, action, depth }) => {
      if (depth < 2 || action === undefined) return undefined;
      return value['next'] !== undefined ? 'next' : value['end'] === true ? 'end' : undefined;
    },
  },
  {
    was: 'escalate did nothing, and a strategy of nothing else succeeded',
    now: 'it is the last step of its strategy; without anything to do, a strategy is an error',
    at: ({ value }) => (value['escalate'] === undefined ? undefined : 'escalate'),
  },
  {
    was: 'a locator by role was read as CSS',
    now: 'as a role, or else as CSS',
    at: ({ value }) => (value['strategy'] === 'role' ? true : undefined),
  },
];

/** What is different for every script, whatever it says. */
export const FOR_EVERY_SCRIPT: readonly MeaningChange[] = [
  {
    was: 'every failure was BrowserAutomationError with the whole log as its cause',
    now: 'one of the names BrowserAgent.… and a short JSON cause: adapt Retry and Catch of the state machine',
  },
  {
    was: 'its Playwright engine accepted certificates that are wrong',
    now: 'only with "session": {"ignore_https_errors": true}',
  },
  {
    was: 'values of fill stood in results and logs',
    now: 'never those of password and sensitive fields; others from level DEBUG on',
  },
];

/** @param knows whether there is a profile of that name here, after the import */
export function changesOf(
  script: JsonObject,
  locate: Locate,
  knows: (profile: string) => boolean,
): MeaningChange[] {
  const all = [...objectsOf(script)];
  const workflow = all.some(({ action }) => action !== undefined && CONTROL.has(action));
  const changes: MeaningChange[] = [];
  const add = (was: string, now: string, path: Path): void => {
    changes.push({ was, now, path: formatPath(path), ...locate(path) });
  };
  for (const { was, now, at } of RULES) {
    for (const seen of all) {
      const key = at({ ...seen, workflow });
      if (key === undefined) continue;
      add(was, now, key === true ? seen.path : [...seen.path, key]);
      break; // the first place will do
    }
  }
  const template = firstTemplate(script, []);
  if (template) {
    const now = 'they keep their type, are JSON-safe and not escaped; a name that is not defined is an error';
    add('template values were escaped for HTML, and missing ones became empty', now, template);
  }
  const session = script['session'];
  const profile = isObject(session) ? session['profile_name'] : undefined;
  if (typeof profile === 'string' && profile !== '' && !profile.includes('{{') && !knows(profile)) {
    const tags = isObject(session) && Array.isArray(session['required_tags']);
    add(
      `a profile that was missing became ${tags ? 'one that has the tags, or ' : ''}a temporary one, silently`,
      `there is no profile "${profile}": the run fails with BrowserAgent.ProfileNotFound. Create it: profiles create "${profile}"${tags ? '; or leave the name out, and the tags decide' : ''}`,
      ['session', 'profile_name'],
    );
  }
  return changes;
}

function* objectsOf(value: JsonValue, path: Path = [], depth = 0): Generator<Omit<Seen, 'workflow'>> {
  if (Array.isArray(value)) {
    // Lists of cases and strategies hold no steps themselves.
    const isSteps = value.some((entry) => isObject(entry) && actionOf(entry) !== undefined);
    for (const [index, entry] of value.entries())
      yield* objectsOf(entry, [...path, index], depth + (isSteps ? 1 : 0));
  } else if (isObject(value)) {
    yield { value, path, depth, action: actionOf(value) };
    for (const [key, entry] of Object.entries(value)) {
      if (!key.startsWith('_')) yield* objectsOf(entry, [...path, key], depth);
    }
  }
}

function actionOf({ action, type }: JsonObject): string | undefined {
  return [action, type].find((name): name is string => typeof name === 'string' && STEPS.has(name));
}

function isModel(name: JsonValue | undefined): boolean {
  return typeof name === 'string' && MODEL.has(name);
}

function firstTemplate(value: JsonValue, path: Path): Path | undefined {
  if (typeof value === 'string') return value.includes('{{') ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, entry] of entries) {
    const found = firstTemplate(entry as JsonValue, [...path, key]);
    if (found) return found;
  }
  return undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
