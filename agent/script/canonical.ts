import type { JsonObject, JsonValue } from '../base/words.ts';
import { canonicalCondition } from './canonical-condition.ts';
import { canonicalSteps } from './canonical-step.ts';
import { type Findings, isPlainObject, type Canon } from './findings.ts';
import type { Path } from './problem.ts';
import { lenientSchemas } from './schema.ts';

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

function upper(value: unknown): unknown {
  return typeof value === 'string' ? value.toUpperCase() : value;
}
