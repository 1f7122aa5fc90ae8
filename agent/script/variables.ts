import { AgentError } from '../base/errors.ts';
import { matches, requirePattern } from '../base/pattern.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { didYouMean } from './problem.ts';
import type { Script, VariableSpec } from './schema.ts';
import { tokenise, type Reference } from './templates.ts';

/** What templates may name, as far as the run has come. */
/** Reads a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined | Promise<string | undefined>;

export interface Scope {
  /** Own properties only are variables, so that `{{constructor}}` is not defined. */
  variables: JsonObject;
  /** The newest result of each step by its name. */
  steps: ReadonlyMap<string, JsonObject>;
  /** Only allow-listed names have a value. */
  env: ReadVariable;
  secret(name: string): Promise<string>;
  /** Told each value that must never be shown, before it is used. */
  onSecretUsed(value: string): void;
}

/**
 * The value with every template in every string replaced, as deep as it goes. A string that is one
 * template takes the type of its value; inside a longer string, objects and lists become JSON.
 *
 * Throws BrowserAgent.InvalidInput for a name that is not defined.
 */
export async function resolveTemplates<T>(value: T, scope: Scope): Promise<T> {
  return (await resolveAny(value, scope)) as T;
}

async function resolveAny(value: unknown, scope: Scope): Promise<unknown> {
  if (typeof value === 'string') return resolveText(value, scope);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await resolveAny(item, scope));
    return items;
  }
  if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) entries.push([key, await resolveAny(item, scope)]);
    return Object.fromEntries(entries);
  }
  return value;
}

async function resolveText(text: string, scope: Scope): Promise<JsonValue> {
  if (!text.includes('{{')) return text;
  const tokens = tokenise(text);
  const [first] = tokens;
  if (tokens.length === 1 && first && 'reference' in first)
    return lookUp(first.reference, first.written, scope);
  let result = '';
  for (const token of tokens) {
    result += 'text' in token ? token.text : asText(await lookUp(token.reference, token.written, scope));
  }
  return result;
}

/** A value inside a longer string. */
export function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function lookUp(reference: Reference, written: string, scope: Scope): Promise<JsonValue> {
  switch (reference.kind) {
    case 'variable': {
      const found = followPath(scope.variables, reference.path);
      if (found !== undefined) return found;
      throw undefinedName(written, reference.path[0] ?? '', Object.keys(scope.variables));
    }
    case 'steps': {
      const found = findStepValue(reference.rest, scope.steps);
      if (found !== undefined) return found;
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `${written} is not defined: no step that has run so far has this name and field. Steps so far: ${
          [...scope.steps.keys()].map((name) => `"${name}"`).join(', ') || 'none'
        }.`,
      );
    }
    case 'env': {
      const value = await scope.env(reference.name);
      if (value !== undefined) return value;
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        `${written} is not defined: the variable is not set on this machine, or its owner has not listed it in script.allowed_env.`,
      );
    }
    default: {
      const value = await scope.secret(reference.name);
      scope.onSecretUsed(value);
      return value;
    }
  }
}

function undefinedName(written: string, name: string, known: string[]): AgentError {
  const guess = didYouMean(name, known);
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `${written} is not defined${guess === undefined || guess === name ? '' : ` (did you mean "${guess}"?)`}. Give it with the task's variables, or a default under "variables" in the script.`,
  );
}

/** Follows keys and list indexes through own properties; undefined when there is nothing. */
export function followPath(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as JsonObject)[key];
  }
  return current;
}

/** Sets an own property whatever its name: assigning to `__proto__` would do something else. */
export function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** `Step name.data.field` in the results; the longest step name that fits wins. */
export function findStepValue(rest: string, steps: ReadonlyMap<string, JsonObject>): JsonValue | undefined {
  const parts = rest.split('.');
  for (let length = parts.length; length > 0; length--) {
    const result = steps.get(parts.slice(0, length).join('.'));
    if (result !== undefined) return followPath(result, parts.slice(length));
  }
  return undefined;
}

/**
 * The variables a run starts with: what was given, over the script's defaults, checked against what the
 * script declares. `secrets` are the values of variables declared secret.
 *
 * Throws BrowserAgent.InvalidInput that lists everything wrong.
 */
export async function prepareVariables(
  script: Pick<Script, 'name' | 'variables'>,
  given: JsonObject = {},
): Promise<{ variables: JsonObject; secrets: string[] }> {
  const variables: JsonObject = { ...given };
  const secrets: string[] = [];
  const wrong: string[] = [];
  for (const [name, spec] of Object.entries(script.variables)) {
    const value = Object.hasOwn(given, name) ? given[name] : (spec.default as JsonValue | undefined);
    if (value === undefined) {
      if (spec.required) wrong.push(`"${name}" is required and was not given`);
      continue;
    }
    const fitting = fit(value, spec);
    const complaint = await complaintAbout(fitting, spec);
    if (complaint !== undefined) wrong.push(`"${name}" ${complaint}`);
    variables[name] = fitting;
    if (spec.secret) secrets.push(asText(fitting));
  }
  if (wrong.length > 0) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `Variables of the script "${script.name}" are wrong: ${wrong.join('; ')}.`,
    );
  }
  return { variables, secrets };
}

/** A value from a command line or a form is text: read as the declared type where that is exact. */
function fit(value: JsonValue, spec: VariableSpec): JsonValue {
  if (typeof value !== 'string') return value;
  if (
    (spec.type === 'number' || spec.type === 'integer') &&
    value.trim() !== '' &&
    Number.isFinite(Number(value))
  )
    return Number(value);
  if (spec.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/** What is wrong with the value; the value itself is not told, it may be secret. */
async function complaintAbout(value: JsonValue, spec: VariableSpec): Promise<string | undefined> {
  if (!hasType(value, spec.type)) return `must be of type ${spec.type}`;
  if (spec.enum && !spec.enum.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value)))
    return `must be one of ${JSON.stringify(spec.enum)}`;
  if (spec.pattern === undefined || typeof value !== 'string') return undefined;
  const isMatch = await matches(requirePattern(spec.pattern), value);
  return isMatch ? undefined : `must match ${spec.pattern}`;
}

function hasType(value: JsonValue, type: VariableSpec['type']): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
