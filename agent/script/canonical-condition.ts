import type { JsonObject, JsonValue } from '../base/words.ts';
import { canonicalLocator } from './canonical-parts.ts';
import { CONDITION_TRAITS, CONDITION_TYPES, isConditionType, type Condition } from './condition.ts';
import { isPlainObject, type Canon, type Findings } from './findings.ts';
import { didYouMean, type Path } from './problem.ts';
import { lenientSchemas } from './schema.ts';

/** Stands in for a condition that is already reported. */
const REPORTED_CONDITION: Canon = { type: 'url_contains', pattern: '/' };

/** The keys of all kinds of conditions, and those that only their written form has. */
const CONDITION_KEYS = [
  ...new Set(lenientSchemas.parts.condition.options.flatMap(({ shape }) => Object.keys(shape))),
  'selector',
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
  if (!isConditionType(type)) {
    findings.error([...path, 'type'], `unknown condition ${JSON.stringify(type)}`, () =>
      didYouMean(typeof type === 'string' ? type : '', CONDITION_TYPES),
    );
    return REPORTED_CONDITION;
  }
  const { waitsMs, needsOneOf } = CONDITION_TRAITS[type];
  const condition = findings.copy(raw, path, CONDITION_KEYS, 'a condition');
  delete condition['description'];
  if (condition['locator'] !== undefined || condition['selector'] !== undefined) {
    const key = condition['locator'] === undefined ? 'selector' : 'locator';
    condition['locator'] = canonicalLocator(condition[key] as JsonValue, [...path, key], findings);
    findings.origin(condition, path, { locator: [...path, key] });
    delete condition['selector'];
  }
  if (timeout !== undefined && waitsMs !== null && condition['timeout'] === undefined)
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
  if (needsOneOf.length > 0 && needsOneOf.every((key) => condition[key] === undefined))
    findings.error(path, `"${type}" needs ${needsOneOf.map((key) => `"${key}"`).join(' or ')}`);
  return condition;
}

interface Shorthand {
  type: Condition['type'];
  field: string;
  isNegated: boolean;
}

/** Conditions by the key that stands for the whole condition, as in `{"text_visible": "unavailable"}`. */
const SHORTHANDS: ReadonlyMap<string, Shorthand> = new Map(
  CONDITION_TYPES.flatMap((type) => {
    const { shorthand } = CONDITION_TRAITS[type];
    if (shorthand === null) return [];
    const { field, negated } = shorthand;
    const own: [string, Shorthand] = [type, { type, field, isNegated: false }];
    return negated === undefined ? [own] : [own, [negated, { type, field, isNegated: true }]];
  }),
);

function shorthand(raw: JsonObject, path: Path, findings: Findings, timeout?: number): unknown {
  const found = [...SHORTHANDS].find(([name]) => Object.hasOwn(raw, name));
  if (!found) {
    const [written = ''] = Object.keys(raw);
    findings.error(path, 'a condition needs a "type"', () =>
      didYouMean(written, [...CONDITION_TYPES, ...SHORTHANDS.keys()]),
    );
    return REPORTED_CONDITION;
  }
  const [key, { type, field, isNegated }] = found;
  findings.checkKeys(raw, path, [key, 'timeout'], 'a condition');
  const inner = canonicalCondition(
    {
      type,
      [field]: raw[key]!,
      ...(raw['timeout'] === undefined ? {} : { timeout: raw['timeout'] }),
    },
    path,
    findings,
    timeout,
  ) as object;
  findings.origin(inner, path, { [field === 'selector' ? 'locator' : field]: [...path, key] });
  return isNegated ? { type: 'not', condition: inner } : inner;
}
