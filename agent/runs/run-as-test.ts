/**
 * A run as a script that checks itself: its variables fixed, and what each step brought as an assertion at
 * the end. Run again later, it says what has changed.
 */
import { MASK } from '../base/mask-sensitive.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';

export interface RunAsTest {
  /** The script as it was written. */
  script: JsonObject;
  /** Those that are kept. */
  variables: JsonObject;
  result: JsonObject | null;
}

export function runAsTest({ script, variables, result }: RunAsTest): JsonObject {
  const name = typeof script['name'] === 'string' ? script['name'] : 'Run';
  const steps = Array.isArray(script['steps']) ? script['steps'] : [];
  return {
    ...script,
    name: `${name} (test)`,
    variables: { ...withDefaults(script['variables'], variables) },
    steps: withChecks(steps, checksOf(result)),
  };
}

/** Both spellings of a declaration: a plain value is a default. */
function withDefaults(declared: JsonValue | undefined, given: JsonObject): JsonObject {
  const specs = isObject(declared) ? declared : {};
  const fixed = Object.entries(given).map(([name, value]): [string, JsonValue] => {
    const spec = specs[name];
    return [name, isObject(spec) ? { ...spec, default: value } : { default: value }];
  });
  return { ...specs, ...Object.fromEntries(fixed) };
}

/** The newest result of each step that brought data; what is masked cannot be compared. */
function checksOf(result: JsonObject | null): JsonObject[] {
  const results = Array.isArray(result?.['step_results']) ? result['step_results'] : [];
  const newest = new Map<string, JsonValue>();
  for (const step of results) {
    if (!isObject(step) || typeof step['name'] !== 'string') continue;
    const data = step['data'];
    if (step['success'] !== true || data === undefined || data === null) continue;
    newest.set(step['name'], data);
  }
  return [...newest]
    .filter(([, data]) => !JSON.stringify(data).includes(MASK))
    .map(([name, data]) => ({
      action: 'assert',
      name: `Check: ${name}`,
      condition: { type: 'variable', name: `steps.${name}.data`, equals: data },
      message: `“${name}” no longer brings what it brought.`,
    }));
}

/** Before a step that ends the script: after it nothing is reached. */
function withChecks(steps: JsonValue[], checks: JsonObject[]): JsonValue[] {
  const last = steps.at(-1);
  const isEnd = isObject(last) && last['action'] === 'succeed';
  return isEnd ? [...steps.slice(0, -1), ...checks, last] : [...steps, ...checks];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
