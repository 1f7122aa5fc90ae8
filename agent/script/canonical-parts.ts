import type { JsonObject, JsonValue } from '../base/words.ts';
import { type Findings, isPlainObject, type Canon } from './canonical-tools.ts';
import { didYouMean, type Path } from './problem.ts';
import { CONDITION_TYPES, LOCATOR_STRATEGIES, lenientSchemas } from './schema.ts';

/** The canonical form of what stands inside steps: locators, conditions, escalation methods, extractions. */

/** Stands in for a part that is already reported. */
const REPORTED_LOCATOR: Canon = { strategy: 'selector', value: 'html' };
const REPORTED_CONDITION: Canon = { type: 'url_contains', pattern: '/' };

type LocatorStrategy = (typeof LOCATOR_STRATEGIES)[number];

export const STRATEGY_ALIASES: Readonly<Record<string, LocatorStrategy>> = {
  css: 'selector',
  testid: 'test_id',
  'test-id': 'test_id',
  data_testid: 'test_id',
};
/** Other spellings of a locator's own keys. */
export const LOCATOR_KEY_ALIASES: Readonly<Record<string, string>> = { css_selector: 'selector' };

const AS_VALUE = ['selector', 'value'] as const;
/** By strategy, the keys that are taken for another one where that is absent: from, to; in this order. */
export const LOCATOR_MOVES: Readonly<Record<LocatorStrategy, readonly (readonly [string, string])[]>> = {
  selector: [AS_VALUE],
  text: [AS_VALUE],
  xpath: [AS_VALUE],
  role: [['role', 'value'], AS_VALUE],
  label: [AS_VALUE, ['label', 'value']],
  placeholder: [AS_VALUE],
  test_id: [AS_VALUE],
  coordinates: [AS_VALUE],
  form_field: [AS_VALUE, ['value', 'label']],
};
/** A locator without a strategy has the first one whose keys are all there. */
export const LOCATOR_INFERENCE: readonly (readonly [readonly string[], LocatorStrategy])[] = [
  [['x', 'y'], 'coordinates'],
  [['role'], 'role'],
  [['value'], 'selector'],
  [['selector'], 'selector'],
  [['label'], 'label'],
];

const LOCATOR_KEYS = [
  ...new Set(lenientSchemas.locator.options.flatMap((option) => Object.keys(option.shape))),
  'selector',
  'role',
];

/** The earlier program's role locators: `button[name='Go']`, which it used as CSS. */
const ROLE_WITH_NAME = /^([a-z]+)\[name=(["'])(.*)\2\]$/;

export function canonicalLocator(raw: JsonValue, path: Path, findings: Findings): unknown {
  if (typeof raw === 'string') {
    const locator = { strategy: 'selector', value: raw };
    findings.origin(locator, path, { value: path });
    return locator;
  }
  if (!isPlainObject(raw)) {
    findings.error(path, 'a locator must be an object with "strategy" and "value", or a CSS selector');
    return REPORTED_LOCATOR;
  }
  const locator = findings.copy(raw, path, LOCATOR_KEYS, 'a locator', LOCATOR_KEY_ALIASES);
  const strategy = strategyOf(locator, raw, path, findings);
  if (strategy === undefined) return REPORTED_LOCATOR;
  locator['strategy'] = strategy;
  for (const [from, to] of LOCATOR_MOVES[strategy]) {
    if (locator[to] === undefined && locator[from] !== undefined) {
      locator[to] = locator[from];
      findings.origin(locator, path, { [to]: [...path, from] });
    }
    delete locator[from];
  }
  if (typeof locator['frame'] === 'string') locator['frame'] = [locator['frame']];
  if (strategy === 'role' && typeof locator['value'] === 'string') parseRole(locator, locator['value']);
  return locator;
}

function strategyOf(
  locator: Canon,
  raw: JsonObject,
  path: Path,
  findings: Findings,
): LocatorStrategy | undefined {
  const written = raw['strategy'];
  if (written === undefined) {
    const inferred = LOCATOR_INFERENCE.find(([keys]) => keys.every((key) => locator[key] !== undefined));
    if (inferred) return inferred[1];
    findings.error(path, 'a locator needs a "strategy" and a "value"');
    return undefined;
  }
  const name = typeof written === 'string' ? (STRATEGY_ALIASES[written] ?? written) : '';
  const strategy = LOCATOR_STRATEGIES.find((known) => known === name);
  if (strategy) return strategy;
  findings.error(
    [...path, 'strategy'],
    `unknown locator strategy ${JSON.stringify(written)}; one of ${LOCATOR_STRATEGIES.join(', ')}`,
    () => didYouMean(name, LOCATOR_STRATEGIES),
  );
  return undefined;
}

function parseRole(locator: Canon, value: string): void {
  const named = ROLE_WITH_NAME.exec(value);
  if (named) Object.assign(locator, { value: named[1], name: locator['name'] ?? named[3], css: value });
  else if (!/^[a-z]+$|\{\{/.test(value)) {
    // Not a role at all but CSS, which is what the earlier program took it for.
    locator['strategy'] = 'selector';
    for (const key of ['name', 'exact', 'css']) delete locator[key];
  }
}

const CONDITION_KEYS = [
  'type',
  'selector',
  'locator',
  'timeout',
  'contains',
  'equals',
  'matches',
  'min',
  'max',
  'exact',
  'text',
  'pattern',
  'url',
  'name',
  'exists',
  'expression',
  'expected',
  'conditions',
  'condition',
  'description',
];

/** `timeout`: for a condition that names none, where it stands in a place with a default of its own. */
export function canonicalCondition(
  raw: JsonValue,
  path: Path,
  findings: Findings,
  timeout?: number,
): unknown {
  if (!isPlainObject(raw)) {
    findings.error(path, 'a condition must be an object with a "type"');
    return REPORTED_CONDITION;
  }
  const type = raw['type'];
  if (type === undefined) return shorthand(raw, path, findings, timeout);
  if (typeof type !== 'string' || !(CONDITION_TYPES as readonly string[]).includes(type)) {
    findings.error([...path, 'type'], `unknown condition ${JSON.stringify(type)}`, () =>
      didYouMean(typeof type === 'string' ? type : '', CONDITION_TYPES),
    );
    return REPORTED_CONDITION;
  }
  const condition = findings.copy(raw, path, CONDITION_KEYS, 'a condition');
  delete condition['description'];
  if (condition['locator'] !== undefined || condition['selector'] !== undefined) {
    const key = condition['locator'] === undefined ? 'selector' : 'locator';
    condition['locator'] = canonicalLocator(condition[key] as JsonValue, [...path, key], findings);
    findings.origin(condition, path, { locator: [...path, key] });
    delete condition['selector'];
  }
  if (
    timeout !== undefined &&
    condition['timeout'] === undefined &&
    (type.startsWith('element_') || type === 'text_visible')
  )
    condition['timeout'] = timeout;
  if (Array.isArray(condition['conditions']))
    condition['conditions'] = condition['conditions'].map((item: JsonValue, index) =>
      canonicalCondition(item, [...path, 'conditions', index], findings, timeout),
    );
  if (condition['condition'] !== undefined)
    condition['condition'] = canonicalCondition(
      condition['condition'] as JsonValue,
      [...path, 'condition'],
      findings,
      timeout,
    );
  checkComplete(condition, type, path, findings);
  return condition;
}

/** Conditions that compare need something to compare with. */
function checkComplete(condition: Canon, type: string, path: Path, findings: Findings): void {
  const oneOf = ONE_OF[type];
  if (oneOf && oneOf.every((key) => condition[key] === undefined)) {
    findings.error(path, `"${type}" needs ${oneOf.map((key) => `"${key}"`).join(' or ')}`);
  }
}

const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  element_text: ['contains', 'equals', 'matches'],
  element_count: ['min', 'max', 'exact'],
  variable: ['equals', 'contains', 'exists'],
};

/** Shorthands, as in `retry_if`: `{"text_visible": "unavailable"}`. */
const SHORTHANDS: Readonly<Record<string, { type: string; key: string; negated?: true }>> = {
  element_exists: { type: 'element_exists', key: 'selector' },
  element_visible: { type: 'element_visible', key: 'selector' },
  element_hidden: { type: 'element_hidden', key: 'selector' },
  element_not_visible: { type: 'element_visible', key: 'selector', negated: true },
  text_visible: { type: 'text_visible', key: 'text' },
  text_not_visible: { type: 'text_visible', key: 'text', negated: true },
  url_contains: { type: 'url_contains', key: 'pattern' },
  url_matches: { type: 'url_matches', key: 'pattern' },
  url_equals: { type: 'url_equals', key: 'url' },
  js_eval: { type: 'js_eval', key: 'expression' },
};

function shorthand(raw: JsonObject, path: Path, findings: Findings, timeout?: number): unknown {
  const key = Object.keys(SHORTHANDS).find((name) => Object.hasOwn(raw, name));
  const short = key === undefined ? undefined : SHORTHANDS[key];
  if (key === undefined || !short) {
    const [written = ''] = Object.keys(raw);
    findings.error(path, 'a condition needs a "type"', () =>
      didYouMean(written, [...CONDITION_TYPES, ...Object.keys(SHORTHANDS)]),
    );
    return REPORTED_CONDITION;
  }
  findings.checkKeys(raw, path, [key, 'timeout'], 'a condition');
  const inner = canonicalCondition(
    {
      type: short.type,
      [short.key]: raw[key]!,
      ...(raw['timeout'] === undefined ? {} : { timeout: raw['timeout'] }),
    },
    path,
    findings,
    timeout,
  ) as object;
  findings.origin(inner, path, { [short.key === 'selector' ? 'locator' : short.key]: [...path, key] });
  return short.negated ? { type: 'not', condition: inner } : inner;
}

const ESCALATION_KEYS = [
  ...new Set(lenientSchemas.escalation.options.flatMap((option) => Object.keys(option.shape))),
  'selector',
  'comment',
  'description',
];

export function canonicalEscalation(raw: JsonValue, path: Path, findings: Findings): unknown {
  if (!isPlainObject(raw)) return raw;
  const method = findings.copy(raw, path, ESCALATION_KEYS, 'an escalation method');
  delete method['comment'];
  delete method['description'];
  if (method['selector'] !== undefined && method['locator'] === undefined) {
    method['locator'] = method['selector'];
    findings.origin(method, path, { locator: [...path, 'selector'] });
  }
  delete method['selector'];
  if (method['locator'] !== undefined)
    method['locator'] = canonicalLocator(
      method['locator'] as JsonValue,
      [...path, raw['locator'] === undefined ? 'selector' : 'locator'],
      findings,
    );
  return method;
}

const EXTRACTION_KEYS = [...Object.keys(lenientSchemas.extraction.shape), 'description'];

/** Which key says what to extract, by strategy; also how a missing strategy is told. */
const EXTRACTION_NEEDS: readonly (readonly [strategy: string, key: string])[] = [
  ['table_cell', 'table_selector'],
  ['attribute', 'attribute'],
  ['xpath', 'xpath'],
  ['css', 'selector'],
  ['regex', 'pattern'],
  ['js', 'expression'],
];

export function canonicalExtraction(raw: JsonValue, path: Path, findings: Findings): unknown {
  if (!isPlainObject(raw)) return raw;
  const extraction = findings.copy(raw, path, EXTRACTION_KEYS, 'an extraction', { field: 'name' });
  delete extraction['description'];
  if (extraction['strategy'] === 'selector') extraction['strategy'] = 'css';
  if (extraction['strategy'] === undefined) {
    extraction['strategy'] = EXTRACTION_NEEDS.find(([, key]) => extraction[key] !== undefined)?.[0];
    if (extraction['strategy'] === undefined && extraction['fallback_js'] !== undefined) {
      extraction['strategy'] = 'js';
      extraction['expression'] = extraction['fallback_js'];
      delete extraction['fallback_js'];
    }
    if (extraction['strategy'] === undefined) {
      findings.error(path, 'an extraction needs a "strategy", or a "selector" to read');
      extraction['strategy'] = 'css';
    }
  } else {
    const needed = EXTRACTION_NEEDS.find(([strategy]) => strategy === extraction['strategy'])?.[1];
    if (needed !== undefined && extraction[needed] === undefined)
      findings.error(
        path,
        `an extraction of strategy ${JSON.stringify(extraction['strategy'])} needs "${needed}"`,
      );
  }
  return extraction;
}
