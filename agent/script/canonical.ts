import type { JsonObject, JsonValue } from '../base/words.ts';
import {
  canonicalCondition,
  canonicalEscalation,
  canonicalExtraction,
  canonicalLocator,
} from './canonical-parts.ts';
import { type Findings, isPlainObject, knownKeys, type Canon } from './canonical-tools.ts';
import { WHOLE_TEMPLATE } from './fields.ts';
import { didYouMean, type Path } from './problem.ts';
import { ACTIONS, lenientSchemas, type Action } from './schema.ts';

/**
 * Brings every accepted spelling of a script into the canonical form that the schemas describe: other
 * names of actions and fields, elements given as a selector, branches in their several shapes. It
 * reports what the schemas cannot see: unknown keys, unknown actions, an element that is missing.
 */
export function canonicalScript(raw: JsonObject, findings: Findings): Canon {
  const script = findings.copy(raw, [], SCRIPT_KEYS, 'a script', { starting_url: 'starting_page' });
  if (isPlainObject(script['session']))
    script['session'] = canonicalSession(script['session'], ['session'], findings);
  const level = upper(script['recording_level']);
  delete script['recording_level'];
  if (level !== undefined)
    script['session'] = { recording_level: level, ...(script['session'] as Canon | undefined) };
  for (const [key, keys] of Object.entries(SMALL_OBJECTS)) {
    if (isPlainObject(script[key])) script[key] = findings.copy(script[key], [key], keys, `"${key}"`);
  }
  if (isPlainObject(script['variables']))
    script['variables'] = canonicalVariables(script['variables'], findings);
  script['steps'] = canonicalSteps(script['steps'], ['steps'], findings);
  return script;
}

/** `$schema` is the editor's. */
const SCRIPT_KEYS = [...Object.keys(lenientSchemas.script.shape), 'recording_level', '$schema'];
const SESSION_KEYS = Object.keys(lenientSchemas.session.shape);
const VARIABLE_KEYS = Object.keys(lenientSchemas.variable.shape);
const SMALL_OBJECTS = {
  screenshot_config: ['s3_prefix', 'local_dir'],
  policy: ['allowed_domains'],
  limits: ['max_steps', 'max_visits'],
};
const STRATEGY_KEYS = ['name', 'description', 'steps', 'verify', 'escalate'];
const RETRY_KEYS = ['attempts', 'delay_ms', 'backoff', 'retry_if'];
const CASE_KEYS = ['name', 'description', 'condition', 'steps'];

/** How long `retry_if` waits for what it looks for, in milliseconds: a page needs a moment to complain. */
const RETRY_IF_TIMEOUT_MS = 1_000;

/** Other names of actions. */
export const ACTION_ALIASES: Readonly<Record<string, Action>> = {
  select_option: 'select',
  wait_for_human: 'human',
  error: 'fail',
};

/** Keys an action takes beside its canonical ones. */
export const ALIAS_KEYS: Readonly<Partial<Record<string, readonly string[]>>> = {
  press: ['selector', 'delay_ms'],
  type: ['selector', 'delay_ms'],
  wait_for_selector: ['selector'],
  wait_for_url: ['url'],
  wait: ['selector'],
  scroll: ['selector'],
  screenshot: ['selector'],
  extract_dom: ['method'],
  act: ['goal'],
  act_with_schema: ['goal'],
  download: ['selector', 'locator', 'escalation_chain'],
};

/** Stands in for a step that is already reported, so that it is reported once; jumps still find it. */
export function reportedStep(raw: unknown): Canon {
  const name = isPlainObject(raw) ? raw['name'] : undefined;
  return { action: 'wait', duration: 0, ...(typeof name === 'string' && name !== '' ? { name } : {}) };
}

function canonicalSession(raw: JsonObject, path: Path, findings: Findings): Canon {
  const session = findings.copy(raw, path, SESSION_KEYS, '"session"');
  if (session['recording_level'] !== undefined)
    session['recording_level'] = upper(session['recording_level']);
  const verification = session['post_login_verification'];
  if (typeof verification === 'string') {
    findings.warn(
      [...path, 'post_login_verification'],
      'a question for a model is not asked; write a condition, e.g. {"type": "url_contains", "pattern": "/home"}',
    );
    delete session['post_login_verification'];
  } else if (verification !== undefined) {
    session['post_login_verification'] = canonicalCondition(
      verification as JsonValue,
      [...path, 'post_login_verification'],
      findings,
    );
  }
  return session;
}

function canonicalVariables(raw: JsonObject, findings: Findings): Canon {
  const variables: Canon = {};
  for (const [name, value] of Object.entries(raw)) {
    if (name.startsWith('_')) continue;
    const keys = isPlainObject(value) ? Object.keys(value) : [];
    const isSpec = keys.length > 0 && keys.every((key) => VARIABLE_KEYS.includes(key));
    variables[name] = isSpec ? value : { default: value };
    if (!isSpec) {
      findings.origin(variables[name] as object, ['variables', name], { default: ['variables', name] });
    }
  }
  findings.origin(variables, ['variables']);
  return variables;
}

function canonicalSteps(raw: unknown, path: Path, findings: Findings): unknown {
  if (!Array.isArray(raw)) return raw;
  return raw.map((step: JsonValue, index) => canonicalStep(step, [...path, index], findings));
}

function canonicalStep(raw: JsonValue, path: Path, findings: Findings): Canon {
  if (!isPlainObject(raw)) {
    findings.error(path, 'a step must be an object with an "action"');
    return reportedStep(raw);
  }
  if (raw['action'] === undefined && raw['type'] === undefined) {
    const jump = canonicalJump(raw, path, findings);
    if (jump) return jump;
  }
  const action = actionOf(raw, path, findings);
  if (action === undefined) return reportedStep(raw);
  const extra = ALIAS_KEYS[action] ?? [];
  const keys = [...knownKeys(action), ...extra, 'type', ...(takesElement(action) ? ['selector'] : [])];
  const step = findings.copy(raw, path, keys, `a step of action "${action}"`);
  const renamed: Record<string, Path> = {};
  if (raw['action'] === undefined) renamed['action'] = [...path, 'type'];
  step['action'] = action;
  delete step['type'];

  canonicalBase(step, path, findings);
  canonicalElement(step, raw, action, path, renamed, findings);
  canonicalFields(step, raw, action, path, renamed, findings);
  findings.origin(step, path, renamed);
  return step;
}

/** The short forms of a branch, `{"goto": name}` and `{"continue": true}`, which may stand for a step too. */
function canonicalJump(raw: JsonObject, path: Path, findings: Findings): Canon | undefined {
  const key = raw['goto'] === undefined ? 'continue' : 'goto';
  if (raw[key] === undefined || (key === 'continue' && raw[key] !== true)) return undefined;
  findings.checkKeys(raw, path, [key], `{"${key}": …}`);
  const step: Canon =
    key === 'goto' ? { action: 'goto', target: raw[key] } : { action: 'sequence', steps: [] };
  findings.origin(step, path, { target: [...path, key] });
  return step;
}

/** The canonical action; reports one that is missing or unknown. */
function actionOf(raw: JsonObject, path: Path, findings: Findings): Action | undefined {
  const { action: byAction, type: byType } = raw;
  const isControl = typeof byType === 'string' && CONTROL.has(byType);
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
  if (written === 'goto' && raw['url'] !== undefined && raw['target'] === undefined) return 'navigate';
  if (
    written === 'extract' &&
    (raw['method'] === 'dom' || (raw['method'] === undefined && raw['extractions']))
  )
    return 'extract_dom';
  const action = ACTION_ALIASES[written] ?? written;
  if ((ACTIONS as readonly string[]).includes(action)) return action as Action;
  findings.error([...path, key], `unknown action "${written}"`, () =>
    didYouMean(written, [...ACTIONS, ...Object.keys(ACTION_ALIASES)]),
  );
  return undefined;
}

const CONTROL = new Set(['if', 'try', 'sequence', 'switch', 'for_each', 'goto']);

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

function takesElement(action: Action): boolean {
  return knownKeys(action).has('escalation_chain');
}

/** `locator`, `selector` and `escalation_chain`. */
function canonicalElement(
  step: Canon,
  raw: JsonObject,
  action: Action,
  path: Path,
  renamed: Record<string, Path>,
  findings: Findings,
): void {
  const ownsLocator = knownKeys(action).has('locator') || action === 'download';
  if (!ownsLocator) return;
  if (step['selector'] !== undefined) {
    if (step['locator'] === undefined) {
      step['locator'] = step['selector'];
      renamed['locator'] = [...path, 'selector'];
    } else findings.warn([...path, 'selector'], 'ignored: the step has a "locator" too');
    delete step['selector'];
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
  if (step['locator'] !== undefined)
    step['locator'] = canonicalLocator(
      step['locator'] as JsonValue,
      renamed['locator'] ?? [...path, 'locator'],
      findings,
    );
  if (takesElement(action) && step['locator'] === undefined && chain === undefined) {
    findings.error(path, `"${action}" needs an element: "locator", "selector" or "escalation_chain"`);
    Object.assign(step, { locator: { strategy: 'selector', value: 'html' } });
  }
}

/** The fields that only some actions have. */
function canonicalFields(
  step: Canon,
  raw: JsonObject,
  action: Action,
  path: Path,
  renamed: Record<string, Path>,
  findings: Findings,
): void {
  const steps = (key: string): void => {
    step[key] = canonicalSteps(step[key], [...path, key], findings);
  };
  switch (action) {
    case 'press':
      if (step['keys'] === undefined && typeof step['key'] === 'string') {
        step['keys'] = step['key'];
        renamed['keys'] = [...path, 'key'];
      }
      if (typeof step['key'] === 'string') delete step['key'];
      step['keys'] = listOf(step['keys']);
      canonicalKeyDelay(step, path, renamed);
      return;
    case 'type':
      canonicalKeyDelay(step, path, renamed);
      return;
    case 'act':
    case 'act_with_schema':
      if (step['prompt'] === undefined && step['goal'] !== undefined) {
        step['prompt'] = step['goal'];
        renamed['prompt'] = [...path, 'goal'];
      }
      delete step['goal'];
      return;
    case 'upload':
      step['files'] = listOf(step['files']);
      return;
    case 'wait_for_url':
      if (step['pattern'] === undefined && step['url'] !== undefined) {
        step['pattern'] = step['url'];
        renamed['pattern'] = [...path, 'url'];
      }
      delete step['url'];
      return;
    case 'wait':
      // The earlier program's default wait, in milliseconds.
      if (
        step['duration'] === undefined &&
        step['duration_range'] === undefined &&
        step['locator'] === undefined
      )
        step['duration'] = 1_000;
      return;
    case 'download':
      canonicalDownload(step, path, findings);
      return;
    case 'extract_dom':
      delete step['method'];
      if (Array.isArray(step['extractions']))
        step['extractions'] = step['extractions'].map((item: JsonValue, index) =>
          canonicalExtraction(item, [...path, 'extractions', index], findings),
        );
      return;
    case 'assert':
    case 'if':
    case 'human':
    case 'validate_profile': {
      for (const key of ['condition', 'until', 'ui_condition']) {
        if (step[key] !== undefined)
          step[key] = canonicalCondition(step[key] as JsonValue, [...path, key], findings);
      }
      if (action === 'if') {
        if (raw['then'] === undefined && raw['else'] === undefined)
          findings.error(path, '"if" needs a "then" or an "else"');
        step['then'] = canonicalBranch(step['then'], [...path, 'then'], findings);
        step['else'] = canonicalBranch(step['else'], [...path, 'else'], findings);
      }
      return;
    }
    case 'sequence':
    case 'for_each':
      steps('steps');
      return;
    case 'switch':
      canonicalSwitch(step, path, findings);
      return;
    case 'try':
      if (Array.isArray(step['strategies']))
        step['strategies'] = step['strategies'].map((strategy: JsonValue, index) =>
          canonicalStrategy(strategy, [...path, 'strategies', index], findings),
        );
      return;
    default:
  }
}

/** A number is the time between keys; a range is, as everywhere, the time before the step. */
function canonicalKeyDelay(step: Canon, path: Path, renamed: Record<string, Path>): void {
  for (const key of ['delay_ms', 'delay']) {
    const delay = step[key];
    if (delay === undefined || isPlainObject(delay)) continue;
    delete step[key];
    if (step['key_delay'] !== undefined) continue;
    step['key_delay'] = delay;
    renamed['key_delay'] = [...path, key];
  }
}

function canonicalDownload(step: Canon, path: Path, findings: Findings): void {
  const { locator, escalation_chain: chain } = step;
  delete step['locator'];
  delete step['escalation_chain'];
  if (step['trigger'] !== undefined) {
    step['trigger'] = canonicalStep(step['trigger'] as JsonValue, [...path, 'trigger'], findings);
  } else if (locator !== undefined || chain !== undefined) {
    step['trigger'] = {
      action: 'click',
      ...(chain === undefined ? { locator } : { escalation_chain: chain }),
    };
    findings.origin(step['trigger'] as object, path);
  }
}

/** `{"goto": name}`, `{"continue": true}`, a step, or a list of steps: as a list of steps. */
function canonicalBranch(raw: unknown, path: Path, findings: Findings): unknown {
  if (raw === undefined || raw === null) return [];
  if (Array.isArray(raw)) return canonicalSteps(raw, path, findings);
  if (!isPlainObject(raw)) {
    findings.error(path, 'a branch must be a step, a list of steps, {"goto": "name"} or {"continue": true}');
    return [];
  }
  if (raw['action'] !== undefined || raw['type'] !== undefined) return [canonicalStep(raw, path, findings)];
  if (raw['continue'] === true || Object.keys(raw).length === 0) return [];
  const jump = canonicalJump(raw, path, findings);
  if (jump) return [jump];
  if (raw['steps'] !== undefined) {
    findings.checkKeys(raw, path, ['steps'], 'a branch');
    return canonicalSteps(raw['steps'], [...path, 'steps'], findings);
  }
  findings.error(path, 'a branch must be a step, a list of steps, {"goto": "name"} or {"continue": true}');
  return [];
}

function canonicalSwitch(step: Canon, path: Path, findings: Findings): void {
  if (Array.isArray(step['cases'])) {
    step['cases'] = step['cases'].map((raw: JsonValue, index) => {
      const at = [...path, 'cases', index];
      if (!isPlainObject(raw)) return raw;
      const item = findings.copy(raw, at, CASE_KEYS, 'a case');
      if (item['condition'] !== undefined)
        item['condition'] = canonicalCondition(
          item['condition'] as JsonValue,
          [...at, 'condition'],
          findings,
        );
      item['steps'] = canonicalSteps(item['steps'] ?? [], [...at, 'steps'], findings);
      return item;
    });
  }
  step['default'] = canonicalBranch(step['default'], [...path, 'default'], findings);
}

function canonicalStrategy(raw: JsonValue, path: Path, findings: Findings): unknown {
  if (!isPlainObject(raw)) return raw;
  const strategy = findings.copy(raw, path, STRATEGY_KEYS, 'a strategy');
  strategy['steps'] = canonicalSteps(strategy['steps'] ?? [], [...path, 'steps'], findings);
  if (strategy['verify'] !== undefined)
    strategy['verify'] = canonicalCondition(strategy['verify'] as JsonValue, [...path, 'verify'], findings);
  if (strategy['escalate'] !== undefined) {
    const step = canonicalEscalate(strategy['escalate'] as JsonValue, [...path, 'escalate'], findings);
    if (Array.isArray(strategy['steps'])) strategy['steps'].push(step);
  } else if (
    Array.isArray(strategy['steps']) &&
    strategy['steps'].length === 0 &&
    raw['verify'] === undefined
  ) {
    findings.error(
      path,
      'a strategy needs "steps", "escalate" or "verify": one that does nothing always succeeds',
    );
  }
  delete strategy['escalate'];
  delete strategy['description'];
  return strategy;
}

/** An `escalate` is the strategy's last step: a person's, a model's, or a click on what a chain finds. */
function canonicalEscalate(raw: JsonValue, path: Path, findings: Findings): Canon {
  if (!isPlainObject(raw)) {
    findings.error(path, '"escalate" must be an object with a "type"');
    return reportedStep(raw);
  }
  switch (raw['type']) {
    case 'human_intervention':
      return canonicalStep(
        { ...without(raw, 'prompt'), type: 'human', message: raw['message'] ?? raw['prompt'] ?? DEFAULT_ASK },
        path,
        findings,
      );
    case 'vision_llm':
      return canonicalStep(
        { ...raw, type: 'act', prompt: raw['prompt'] ?? 'Go on with this page.' },
        path,
        findings,
      );
    case 'progressive_escalation':
      return canonicalStep(
        {
          ...without(without(raw, 'chain'), 'target'),
          type: 'click',
          ...(raw['chain'] === undefined
            ? { selector: raw['target'] ?? '' }
            : { escalation_chain: raw['chain'] }),
        },
        path,
        findings,
      );
    default:
      return canonicalStep(raw, path, findings);
  }
}

const DEFAULT_ASK = 'Please finish this step in the browser, then press Resume.';

function without(raw: JsonObject, key: string): JsonObject {
  const { [key]: _dropped, ...rest } = raw;
  return rest;
}

function upper(value: unknown): unknown {
  return typeof value === 'string' ? value.toUpperCase() : value;
}

/** One string for a list of one; a whole template stays, it may be a list. */
function listOf(value: unknown): unknown {
  return typeof value === 'string' && !WHOLE_TEMPLATE.test(value) ? [value] : value;
}
