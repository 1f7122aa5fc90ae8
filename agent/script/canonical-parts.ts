import type { JsonObject, JsonValue } from '../base/words.ts';
import { type Findings, isPlainObject, type Canon } from './findings.ts';
import { didYouMean, type Path } from './problem.ts';
import { LOCATOR_STRATEGIES, lenientSchemas } from './schema.ts';

/** The canonical form of parts of steps: locators, escalation methods, extractions. */

/** Stands in for a locator that is already reported. */
export const REPORTED_LOCATOR: Canon = { strategy: 'selector', value: 'html' };

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
  ...new Set(lenientSchemas.parts.locator.options.flatMap((option) => Object.keys(option.shape))),
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

const ESCALATION_KEYS = [
  ...new Set(lenientSchemas.parts.escalation.options.flatMap((option) => Object.keys(option.shape))),
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

const EXTRACTION_KEYS = [...Object.keys(lenientSchemas.parts.extraction.shape), 'description'];

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
