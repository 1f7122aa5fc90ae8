import type { JsonObject, JsonValue } from '../base/words.ts';
import { ACTION_NAMES, ACTION_TRAITS, actionNamed, isControlAction, type Action } from './actions/index.ts';
import type { Form } from './actions/traits.ts';
import { canonicalCondition } from './canonical-condition.ts';
import { canonicalJump } from './canonical-control.ts';
import {
  canonicalEscalation,
  canonicalExtraction,
  canonicalLocator,
  REPORTED_LOCATOR,
} from './canonical-parts.ts';
import { fieldKinds } from './field-kinds.ts';
import { WHOLE_TEMPLATE } from './fields.ts';
import { isPlainObject, reportedStep, type Canon, type Findings } from './findings.ts';
import { didYouMean, type Path } from './problem.ts';

/** The canonical form of steps. What is special about an action stands in its row of the table of actions. */

const RETRY_KEYS = ['attempts', 'delay_ms', 'backoff', 'retry_if'];

/** How long `retry_if` waits for what it looks for, in milliseconds: a page needs a moment to complain. */
const RETRY_IF_TIMEOUT_MS = 1_000;

export function canonicalSteps(raw: unknown, path: Path, findings: Findings): unknown {
  if (!Array.isArray(raw)) return raw;
  return raw.map((step: JsonValue, index) => canonicalStep(step, [...path, index], findings));
}

function canonicalStep(raw: JsonValue, path: Path, findings: Findings): Canon {
  if (!isPlainObject(raw)) {
    findings.error(path, 'a step must be an object with an "action"');
    return reportedStep(raw);
  }
  if (raw['action'] === undefined && raw['type'] === undefined) {
    const jump = canonicalJump(raw, path, { findings });
    if (jump) return jump;
  }
  const action = actionOf(raw, path, findings);
  if (action === undefined) return reportedStep(raw);
  const { accepted, conditions, lists } = fieldKinds(action);
  const step = findings.copy(raw, path, accepted, `a step of action "${action}"`);
  if (raw['action'] === undefined) findings.origin(step, path, { action: [...path, 'type'] });
  step['action'] = action;
  delete step['type'];

  const form = formFor(raw, path, findings);
  canonicalBase(step, path, findings);
  canonicalElements(step, action, form);
  for (const key of conditions)
    if (step[key] !== undefined) step[key] = form.condition(step[key] as JsonValue, [...path, key]);
  ACTION_TRAITS[action].canonical?.(step, form);
  for (const key of lists) step[key] = listOf(step[key]);
  return step;
}

function formFor(raw: JsonObject, path: Path, findings: Findings): Form {
  return {
    raw,
    path,
    findings,
    rename: (step, from, to) => {
      if (step[to] === undefined && step[from] !== undefined) {
        step[to] = step[from];
        findings.origin(step, path, { [to]: [...path, from] });
      }
      delete step[from];
    },
    step: (inner, at) => canonicalStep(inner, at, findings),
    steps: (inner, at) => canonicalSteps(inner, at, findings),
    condition: (inner, at) => canonicalCondition(inner, at, findings),
    extraction: (inner, at) => canonicalExtraction(inner, at, findings),
  };
}

/** The canonical action; reports one that is missing or unknown. */
function actionOf(raw: JsonObject, path: Path, findings: Findings): Action | undefined {
  const { action: byAction, type: byType } = raw;
  const isControl = typeof byType === 'string' && (isControlAction(byType) || byType === 'goto');
  const key = byAction === undefined || isControl ? 'type' : 'action';
  const written = raw[key];
  if (written === undefined) {
    findings.error(path, 'a step needs an "action"');
    return undefined;
  }
  if (typeof written !== 'string') {
    findings.error([...path, key], `"${key}" must be the name of an action`);
    return undefined;
  }
  if (byAction !== undefined && byType !== undefined && byAction !== byType) {
    findings.warn([...path, 'type'], `"action" and "type" differ; the step is "${written}"`);
  }
  const action = actionNamed(written, raw);
  if (action === undefined)
    findings.error([...path, key], `unknown action "${written}"`, () => didYouMean(written, ACTION_NAMES));
  return action;
}

/** The fields that every step has. */
function canonicalBase(step: Canon, path: Path, findings: Findings): void {
  const { retry, when } = step;
  if (when !== undefined) step['when'] = canonicalCondition(when as JsonValue, [...path, 'when'], findings);
  if (retry === null) delete step['retry'];
  if (typeof retry === 'number') step['retry'] = { attempts: retry };
  if (isPlainObject(retry)) {
    const canonical = findings.copy(retry, [...path, 'retry'], RETRY_KEYS, '"retry"');
    if (canonical['backoff'] === 'exponential') canonical['backoff'] = 2;
    if (canonical['backoff'] === 'fixed') canonical['backoff'] = 1;
    const at = [...path, 'retry', 'retry_if'];
    if (isPlainObject(canonical['retry_if']) && Object.keys(canonical['retry_if']).length === 0)
      delete canonical['retry_if'];
    if (canonical['retry_if'] !== undefined)
      canonical['retry_if'] = canonicalCondition(
        canonical['retry_if'] as JsonValue,
        at,
        findings,
        RETRY_IF_TIMEOUT_MS,
      );
    step['retry'] = canonical;
  }
}

/** The elements of a step, each by a locator, by a CSS selector or by an `escalation_chain`. */
function canonicalElements(step: Canon, action: Action, { path, findings, rename }: Form): void {
  const { elements, takesSelector, needsElement } = fieldKinds(action);
  let locatorAt: Path = [...path, 'locator'];
  if (takesSelector && step['selector'] !== undefined) {
    if (step['locator'] === undefined) locatorAt = [...path, 'selector'];
    else findings.warn([...path, 'selector'], 'ignored: the step has a "locator" too');
    rename(step, 'selector', 'locator');
  }
  const chain = step['escalation_chain'];
  if (Array.isArray(chain)) {
    step['escalation_chain'] = chain.map((method: JsonValue, index) =>
      canonicalEscalation(method, [...path, 'escalation_chain', index], findings),
    );
    if (step['locator'] !== undefined) {
      findings.warn([...path, 'locator'], 'ignored: the step has an "escalation_chain" too');
      delete step['locator'];
    }
  }
  if (takesSelector && step['locator'] !== undefined)
    step['locator'] = canonicalLocator(step['locator'] as JsonValue, locatorAt, findings);
  for (const key of elements) {
    if (key !== 'locator' && step[key] !== undefined)
      step[key] = canonicalLocator(step[key] as JsonValue, [...path, key], findings);
  }
  if (needsElement && step['locator'] === undefined && chain === undefined) {
    findings.error(path, `"${action}" needs an element: "locator", "selector" or "escalation_chain"`);
    step['locator'] = { ...REPORTED_LOCATOR };
  }
}

/** One string for a list of one; a whole template stays as it is: it may be a list. */
function listOf(value: unknown): unknown {
  return typeof value === 'string' && !WHOLE_TEMPLATE.test(value) ? [value] : value;
}
