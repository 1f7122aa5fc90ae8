import type { Page } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import { findAll, requirePattern } from '../../base/pattern.ts';
import type { JsonObject, JsonValue } from '../../base/words.ts';
import { toBrowserError } from '../../browser/errors.ts';
import { until } from '../../browser/conditions.ts';
import { resolveElement } from '../../browser/locators.ts';
import { evaluateScript } from '../../browser/page-script.ts';
import { settle } from '../../browser/settle.ts';
import type { Extraction } from '../../script/schema.ts';
import { attributesOf, innerTextsOf, textsOf, xpathValues } from './page-readers.ts';
import { race } from './race.ts';
import { columnIndex, readTables } from './tables.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** How long data may take to appear when the step has no timeout of its own, milliseconds. */
const APPEAR_MS = 5_000;
/** More matches of one pattern are not extracted. */
const MAX_MATCHES = 10_000;

/** What one extraction gave: a value, or why there is none. */
type Extracted = { found: true; value: JsonValue } | { found: false; reason: string };

/**
 * extract_dom. Looks at once, and again until what `require` and `required` ask for is there or the time is
 * over. What was not found is null in the data and named, with the reason, in `missing`.
 */
export async function performExtractDom(
  step: StepOf<'extract_dom'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const { page, signal } = ctx;
  const timeoutMs = step.timeout ?? Math.min(APPEAR_MS, ctx.timeoutMs);
  let results: Extracted[] = [];
  const work = async () => {
    if (step.extractions.some(looksOnce)) await settle(page, { timeoutMs, signal });
    // With nothing asked for, one look is enough.
    return until(isDemanding(step) ? timeoutMs : 0, signal, async () => {
      results = await Promise.all(step.extractions.map((extraction) => extract(page, extraction, signal)));
      return isEnough(step, results);
    });
  };
  let enough: boolean;
  try {
    enough = await race(work(), { signal, timeoutMs: ctx.timeoutMs, what: 'extract_dom' });
  } catch (thrown) {
    throw await toBrowserError(thrown, { page, action: 'extract_dom', timeoutMs, signal });
  }
  const missing = step.extractions.flatMap(({ name }, index) => {
    const result = results[index];
    return result?.found ? [] : [{ name, reason: result?.reason ?? 'not looked for' }];
  });
  if (!enough) throw notEnough(step, missing, timeoutMs);
  const data: JsonObject = Object.fromEntries(
    step.extractions.map(({ name }, index) => {
      const result = results[index];
      return [name, result?.found ? result.value : null];
    }),
  );
  if (ctx.meta.sensitive) for (const value of leaves(data)) ctx.recorder.maskValue(value);
  return { data, value: data, url: page.url(), fields: missing.length > 0 ? { missing } : {} };
}

function isDemanding(step: StepOf<'extract_dom'>): boolean {
  return step.require !== 'none' || step.extractions.some((extraction) => extraction.required);
}

function isEnough(step: StepOf<'extract_dom'>, results: Extracted[]): boolean {
  if (step.extractions.some((extraction, index) => extraction.required && !results[index]?.found))
    return false;
  if (step.require === 'all') return results.every((result) => result.found);
  return step.require === 'none' || results.some((result) => result.found);
}

function notEnough(
  step: StepOf<'extract_dom'>,
  missing: { name: string; reason: string }[],
  timeoutMs: number,
): AgentError {
  const names = missing.map(({ name, reason }) => `"${name}" (${reason})`).join(', ');
  return new AgentError(
    'BrowserAgent.ElementNotFound',
    `Not extracted within ${timeoutMs / 1000} s: ${names}. The step has require "${step.require}"; set it to "none", or drop "required", where a value may be missing.`,
    { data: { missing } },
  );
}

/** These do not wait for an element by themselves. */
function looksOnce({ strategy, all, fallback_js: fallback }: Extraction): boolean {
  return strategy === 'js' || strategy === 'regex' || all || fallback !== undefined;
}

async function extract(page: Page, extraction: Extraction, signal: AbortSignal): Promise<Extracted> {
  const first = await converted(extraction, () => read(page, extraction, signal));
  if (first.found || extraction.fallback_js === undefined) return first;
  const { fallback_js: fallback } = extraction;
  const second = await converted(extraction, async () => [await evaluateScript(page, fallback)].flat());
  return second.found ? second : first;
}

async function converted(extraction: Extraction, values: () => Promise<JsonValue[]>): Promise<Extracted> {
  try {
    const found = (await values()).filter((value) => value !== null && value !== '');
    if (found.length === 0) return { found: false, reason: 'nothing found' };
    const typed = found.map((value) => convert(value, extraction.type));
    return { found: true, value: extraction.all ? typed : (typed[0] ?? null) };
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.errorName === 'BrowserAgent.InvalidScript') throw thrown;
    if (thrown instanceof NotOfType) return { found: false, reason: thrown.message };
    const message = String(thrown);
    if (/has been closed|crashed|is not a valid|while parsing/.test(message)) throw thrown;
    return { found: false, reason: message.split('\n')[0]!.slice(0, 200) };
  }
}

/** What the strategy finds, in document order. */
async function read(page: Page, extraction: Extraction, signal: AbortSignal): Promise<JsonValue[]> {
  const { strategy } = extraction;
  switch (strategy) {
    case 'css':
      return page.locator(needed(extraction, 'selector')).evaluateAll(textsOf);
    case 'attribute': {
      const attribute = needed(extraction, 'attribute');
      const selector =
        extraction.selector ??
        (extraction.xpath && `xpath=${extraction.xpath}`) ??
        needed(extraction, 'selector');
      return page.locator(selector).evaluateAll(attributesOf, attribute);
    }
    case 'xpath': {
      const expression = extraction.xpath ?? needed(extraction, 'selector');
      const values = await page.evaluate(xpathValues, expression);
      if (values.length > 0) return values;
      const { locator } = await resolveElement(page, { strategy: 'xpath', value: expression });
      // Only paths to elements can be followed into shadow roots.
      return expression.startsWith('/') ? locator.evaluateAll(textsOf) : [];
    }
    case 'regex': {
      const pattern = requirePattern(needed(extraction, 'pattern'), 'gm');
      const texts = await page.locator(extraction.selector ?? 'body').evaluateAll(innerTextsOf);
      return findAll(pattern, texts, MAX_MATCHES, { signal });
    }
    case 'table_cell':
      return tableCells(page, extraction);
    case 'js':
      return asList(await evaluateScript(page, needed(extraction, 'expression')), extraction.all);
  }
}

function asList(value: JsonValue, all: boolean): JsonValue[] {
  return all && Array.isArray(value) ? value : [value];
}

async function tableCells(page: Page, extraction: Extraction): Promise<JsonValue[]> {
  const column = extraction.column_header;
  const selector = extraction.table_selector ?? extraction.selector ?? 'table,[role=table],[role=grid]';
  const tables = await page.locator(selector).evaluateAll(readTables);
  const wantedRow = extraction.row_contains?.toLowerCase();
  return tables.flatMap(({ headers, rows }) => {
    const index = column === undefined ? -1 : columnIndex(headers, column);
    if (column !== undefined && index < 0) return [];
    const inRow = rows.filter(
      (row) => wantedRow === undefined || row.some((cell) => cell.toLowerCase().includes(wantedRow)),
    );
    // Without a column: what stands beside the name, as in a table of names and values.
    return inRow.map((row) => {
      if (column !== undefined) return row[index] ?? '';
      const at = row.findIndex((cell) => wantedRow !== undefined && cell.toLowerCase().includes(wantedRow));
      return row[at + 1] ?? '';
    });
  });
}

function needed(extraction: Extraction, field: 'selector' | 'attribute' | 'pattern' | 'expression'): string {
  const value = extraction[field];
  if (value !== undefined && value !== '') return value;
  throw new AgentError(
    'BrowserAgent.InvalidScript',
    `The extraction "${extraction.name}" with strategy ${extraction.strategy} needs "${field}".`,
  );
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The value is there, but is not what the script says it is. */
class NotOfType extends Error {}

function convert(value: JsonValue, type: Extraction['type']): JsonValue {
  switch (type) {
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    case 'number':
    case 'integer': {
      const number = typeof value === 'number' ? value : parseNumber(textOf(value));
      if (number === undefined || (type === 'integer' && !Number.isInteger(number)))
        throw new NotOfType(`"${textOf(value).slice(0, 60)}" is no ${type}`);
      return number;
    }
    case 'boolean': {
      if (typeof value === 'boolean') return value;
      const text = textOf(value).trim().toLowerCase();
      if (/^(?:true|yes|y|1|on|\u2713|\u2714|checked|active|enabled)$/.test(text)) return true;
      if (/^(?:false|no|n|0|off|\u2717|\u2718|unchecked|inactive|disabled)$/.test(text)) return false;
      throw new NotOfType(`"${text.slice(0, 60)}" is neither yes nor no`);
    }
    case 'json':
      if (typeof value !== 'string') return value;
      try {
        return JSON.parse(value) as JsonValue;
      } catch {
        throw new NotOfType('the text is not JSON');
      }
  }
}

/** The first number of a text: `£1,234.50`, `1.234,50 €`, `-3`, `12 %`. */
export function parseNumber(text: string): number | undefined {
  const match = /[-\u2212]?\s?(?:\d[\d.,'\s\u00a0]*\d|\d)/.exec(
    text.replace(/^[^\d-\u2212]*(?=[-\u2212]?\d)/, ''),
  );
  if (!match) return undefined;
  const digits = match[0].replace('\u2212', '-').replace(/['\s\u00a0]/g, '');
  const separators = digits.replace(/[^.,]/g, '');
  const last = separators.at(-1);
  if (!last) return Number(digits);
  const isOnly = separators.split('').every((separator) => separator === last);
  const decimals = digits.length - digits.lastIndexOf(last) - 1;
  // "1,234" and "1.234.567" group thousands; "1.234" is a decimal, as programs write it.
  const groups = isOnly && (separators.length > 1 || (last === ',' && decimals === 3));
  const other = last === '.' ? ',' : '.';
  const number = groups ? digits.replaceAll(last, '') : digits.replaceAll(other, '').replace(last, '.');
  return Number.isNaN(Number(number)) ? undefined : Number(number);
}

function leaves(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (value !== null && typeof value === 'object') return Object.values(value).flatMap(leaves);
  return typeof value === 'number' ? [String(value)] : [];
}
