/**
 * The tasks of a fault run: short scripts on the demo portal whose every step leaves a request there that
 * names task and step, so that what was really done can be counted by somebody who is not the agent.
 */
import type { JsonObject } from '../../agent/base/words.ts';

/** What a failing script reports, with its own `fail` step. */
export const OWN_ERROR = 'Portal.SaysNo';
/** Pause between two steps of a long task, milliseconds; several heartbeats fall into the whole of them. */
const LONG_PAUSE_MS = 300;
const LONG_STEPS = 20;

export type TaskKind = 'quick' | 'evidence' | 'video' | 'fails' | 'long';

export interface PlannedTask {
  /** Name of the script, and of the task on the portal. */
  name: string;
  kind: TaskKind;
  /** For each step, in order, whether it asks the portal. */
  asks: boolean[];
  input: JsonObject;
}

/** Every kind again and again, in an order by chance. */
export function drawKind(random: () => number): TaskKind {
  const draw = random();
  return draw < 0.3
    ? 'quick'
    : draw < 0.6
      ? 'evidence'
      : draw < 0.7
        ? 'video'
        : draw < 0.85
          ? 'fails'
          : 'long';
}

export function planTask(number: number, portalUrl: string, kind: TaskKind): PlannedTask {
  const name = `T${number}`;
  const page = kind === 'evidence' || kind === 'video' ? 'login' : 'health';
  const ask = (step: number): JsonObject => ({
    action: 'navigate',
    name: `Ask ${step}`,
    url: `${portalUrl}/${page}?task=${name}&step=${step}`,
  });
  const steps: JsonObject[] = [];
  const asks: boolean[] = [];
  const add = (step: JsonObject, isAsking: boolean): void => {
    steps.push(step);
    asks.push(isAsking);
  };
  const rounds = kind === 'long' ? LONG_STEPS : 2;
  for (let round = 0; round < rounds; round += 1) {
    add(ask(steps.length + 1), true);
    if (kind === 'long') add({ action: 'wait', name: 'Pause', duration: LONG_PAUSE_MS }, false);
  }
  if (kind === 'evidence') add({ action: 'screenshot', name: 'Picture' }, false);
  if (kind === 'fails')
    add({ action: 'fail', name: 'Give up', error: OWN_ERROR, message: 'as planned' }, false);
  const recording_level = kind === 'video' ? 'DEBUG' : kind === 'evidence' ? 'INFO' : 'NONE';
  return { name, kind, asks, input: { name, session: { recording_level }, steps } };
}
