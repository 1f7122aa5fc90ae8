import { isRegExp } from 'node:util/types';
import { Script } from 'node:vm';
import type { Page } from 'playwright';
import { AgentError, messageOf } from '../base/errors.ts';
import type { JsonValue } from '../base/words.ts';

/**
 * Runs JavaScript of a script in the page: an expression (a function is called), statements whose last
 * value is the result, or a body with `return`; `await` works. `args` is in scope. Gives JSON.
 */
export async function evaluateScript(page: Page, script: string, args?: JsonValue): Promise<JsonValue> {
  const source = wrap(script, args);
  return toJson(await page.evaluate(source));
}

/** Throws BrowserAgent.InvalidScript when it is no JavaScript in any of these forms. */
function wrap(script: string, args: JsonValue | undefined): string {
  const text = script.trim().replace(/;+$/, '');
  const scope = `const args = ${literal(args)};`;
  const expression = `(async () => { ${scope}\nconst result = (${text}\n);\nreturn typeof result === 'function' ? await result(args) : await result;\n})()`;
  if (compiles(`(async () => (${text}\n))`)) return expression;
  // Statements: the value of the last one, as the console would show it.
  const statements = `{ ${scope}\n${script}\n}`;
  if (compiles(statements)) return statements;
  const body = `(async () => { ${scope}\n${script}\n})()`;
  const problem = syntaxError(body);
  if (problem === undefined) return body;
  throw new AgentError(
    'BrowserAgent.InvalidScript',
    `The JavaScript of this step cannot be read: ${problem}`,
  );
}

/** JSON is JavaScript but for two line separators, which ES2019 allows too; `</script>` plays no part here. */
function literal(args: JsonValue | undefined): string {
  return args === undefined ? 'undefined' : JSON.stringify(args);
}

function compiles(source: string): boolean {
  return syntaxError(source) === undefined;
}

/** Only parsed, never run: V8 here reads the same language as Chromium's. */
function syntaxError(source: string): string | undefined {
  try {
    void new Script(source);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** What JSON cannot say (undefined, NaN, dates, sets, errors) as the nearest thing that it can. */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'bigint':
      return value.toString();
    case 'object':
      return objectToJson(value);
    case 'undefined':
    case 'symbol':
    case 'function':
      return null;
  }
}

function objectToJson(value: object | null): JsonValue {
  if (value === null) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return value.message;
  if (isRegExp(value) || value instanceof URL) return String(value);
  if (value instanceof Map) return toJson(Object.fromEntries(value));
  if (value instanceof Set) return toJson([...value]);
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value)) return toJson([...(value as Uint8Array)]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, toJson(item)]])),
  );
}
