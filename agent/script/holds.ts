import { isDeepStrictEqual } from 'node:util';
import { AgentError, messageOf } from '../base/errors.ts';
import type { JsonValue } from '../base/words.ts';
import type { ConditionResult } from './interpreter.ts';
import type { Condition } from './schema.ts';
import { findStepValue, followPath, resolveTemplates, type Scope } from './variables.ts';

export interface ConditionPorts {
  scope: Scope;
  /** For conditions about the page. */
  evaluate(condition: Condition, signal: AbortSignal): Promise<ConditionResult>;
  signal: AbortSignal;
  /** Takes what went wrong while looking; it counts as false. */
  errors: string[];
}

/**
 * Whether the condition holds. Throws only what ends the step: an aborted signal, a lost browser, a name
 * that is not defined.
 */
export async function holds(condition: Condition, ports: ConditionPorts): Promise<boolean> {
  switch (condition.type) {
    case 'and':
      for (const part of condition.conditions) if (!(await holds(part, ports))) return false;
      return true;
    case 'or':
      for (const part of condition.conditions) if (await holds(part, ports)) return true;
      return false;
    case 'not':
      return !(await holds(condition.condition, ports));
    case 'variable':
      return variableHolds(await resolveTemplates(condition, ports.scope), ports.scope);
    default: {
      const resolved = await resolveTemplates(condition, ports.scope);
      try {
        const { met, error } = await ports.evaluate(resolved, ports.signal);
        if (error !== undefined) ports.errors.push(`${condition.type}: ${error}`);
        return met;
      } catch (thrown) {
        ports.signal.throwIfAborted();
        if (thrown instanceof AgentError && thrown.errorName === 'BrowserAgent.BrowserUnavailable')
          throw thrown;
        ports.errors.push(`${condition.type}: ${messageOf(thrown)}`);
        return false;
      }
    }
  }
}

function variableHolds(condition: Extract<Condition, { type: 'variable' }>, scope: Scope): boolean {
  const { name, equals, contains, exists } = condition;
  const value = name.startsWith('steps.')
    ? findStepValue(name.slice('steps.'.length), scope.steps)
    : followPath(scope.variables, name.split('.'));
  if (exists !== undefined && (value !== undefined) !== exists) return false;
  if (equals !== undefined && !isDeepStrictEqual(value, equals)) return false;
  return contains === undefined || includes(value, contains);
}

function includes(value: JsonValue | undefined, part: JsonValue): boolean {
  if (typeof value === 'string')
    return value.includes(typeof part === 'string' ? part : JSON.stringify(part));
  if (Array.isArray(value)) return value.some((item) => isDeepStrictEqual(item, part));
  if (typeof value === 'object' && value !== null)
    return typeof part === 'string' && Object.hasOwn(value, part);
  return false;
}
