import type { JsonObject, JsonValue } from '../base/words.ts';
import type { Form } from './actions/traits.ts';
import { HUMAN_MESSAGE } from './actions/steering.ts';
import { isPlainObject, reportedStep, type Canon } from './findings.ts';
import type { Path } from './problem.ts';

/** The canonical form of branches, cases and strategies. Each may be written in several shapes. */

const STRATEGY_KEYS = ['name', 'description', 'steps', 'verify', 'escalate'];
const CASE_KEYS = ['name', 'description', 'condition', 'steps'];

const NO_BRANCH = 'a branch must be a step, a list of steps, {"goto": "name"} or {"continue": true}';

/** The parts of a {@link Form} that do not depend on one step. */
type Inner = Pick<Form, 'findings' | 'step' | 'steps' | 'condition'>;

/** The short forms of a branch, `{"goto": name}` and `{"continue": true}`, which may stand for a step too. */
export function canonicalJump(
  raw: JsonObject,
  path: Path,
  { findings }: Pick<Form, 'findings'>,
): Canon | undefined {
  const key = raw['goto'] === undefined ? 'continue' : 'goto';
  if (raw[key] === undefined || (key === 'continue' && raw[key] !== true)) return undefined;
  findings.checkKeys(raw, path, [key], `{"${key}": …}`);
  const step: Canon =
    key === 'goto' ? { action: 'goto', target: raw[key] } : { action: 'sequence', steps: [] };
  findings.origin(step, path, { target: [...path, key] });
  return step;
}

/** `{"goto": name}`, `{"continue": true}`, a step, or a list of steps: as a list of steps. */
export function canonicalBranch(raw: unknown, path: Path, form: Inner): unknown {
  if (raw === undefined || raw === null) return [];
  if (Array.isArray(raw)) return form.steps(raw, path);
  if (!isPlainObject(raw)) {
    form.findings.error(path, NO_BRANCH);
    return [];
  }
  if (raw['action'] !== undefined || raw['type'] !== undefined) return [form.step(raw, path)];
  if (raw['continue'] === true || Object.keys(raw).length === 0) return [];
  const jump = canonicalJump(raw, path, form);
  if (jump) return [jump];
  if (raw['steps'] !== undefined) {
    form.findings.checkKeys(raw, path, ['steps'], 'a branch');
    return form.steps(raw['steps'], [...path, 'steps']);
  }
  form.findings.error(path, NO_BRANCH);
  return [];
}

export function canonicalSwitch(step: Canon, form: Form): void {
  const { path, findings } = form;
  if (Array.isArray(step['cases'])) {
    step['cases'] = step['cases'].map((raw: JsonValue, index) => {
      const at = [...path, 'cases', index];
      if (!isPlainObject(raw)) return raw;
      const item = findings.copy(raw, at, CASE_KEYS, 'a case');
      if (item['condition'] !== undefined)
        item['condition'] = form.condition(item['condition'] as JsonValue, [...at, 'condition']);
      item['steps'] = form.steps(item['steps'] ?? [], [...at, 'steps']);
      return item;
    });
  }
  step['default'] = canonicalBranch(step['default'], [...path, 'default'], form);
}

export function canonicalStrategy(raw: JsonValue, path: Path, form: Inner): unknown {
  if (!isPlainObject(raw)) return raw;
  const strategy = form.findings.copy(raw, path, STRATEGY_KEYS, 'a strategy');
  strategy['steps'] = form.steps(strategy['steps'] ?? [], [...path, 'steps']);
  if (strategy['verify'] !== undefined)
    strategy['verify'] = form.condition(strategy['verify'] as JsonValue, [...path, 'verify']);
  if (strategy['escalate'] !== undefined) {
    const step = canonicalEscalate(strategy['escalate'] as JsonValue, [...path, 'escalate'], form);
    if (Array.isArray(strategy['steps'])) strategy['steps'].push(step);
  } else if (
    Array.isArray(strategy['steps']) &&
    strategy['steps'].length === 0 &&
    raw['verify'] === undefined
  ) {
    form.findings.error(
      path,
      'a strategy needs "steps", "escalate" or "verify": one that does nothing always succeeds',
    );
  }
  delete strategy['escalate'];
  delete strategy['description'];
  return strategy;
}

/** An `escalate` is the strategy's last step: a person's, a model's, or a click on what a chain finds. */
function canonicalEscalate(raw: JsonValue, path: Path, form: Inner): Canon {
  if (!isPlainObject(raw)) {
    form.findings.error(path, '"escalate" must be an object with a "type"');
    return reportedStep(raw);
  }
  const { prompt, ...withoutPrompt } = raw;
  const { chain, target, ...withoutElement } = raw;
  switch (raw['type']) {
    case 'human_intervention':
      return form.step(
        { ...withoutPrompt, type: 'human', message: raw['message'] ?? prompt ?? HUMAN_MESSAGE },
        path,
      );
    case 'vision_llm':
      return form.step({ ...raw, type: 'act', prompt: prompt ?? 'Go on with this page.' }, path);
    case 'progressive_escalation':
      return form.step(
        {
          ...withoutElement,
          type: 'click',
          ...(chain === undefined ? { selector: target ?? '' } : { escalation_chain: chain }),
        },
        path,
      );
    default:
      return form.step(raw, path);
  }
}
