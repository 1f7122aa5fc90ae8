import { type AgentError, toAgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { StepMeta } from './interpreter.ts';
import type { Script } from './schema.ts';
import type { Scope } from './variables.ts';

/** The words in which the parts of the interpreter tell each other how things went. */

/** How a step or a list of steps ended. */
export type Flow =
  | { kind: 'next' }
  | { kind: 'jump'; target: string }
  | { kind: 'end'; by: 'end' | 'succeed' }
  | Failed;

/**
 * `final`: nothing may go on (an aborted run, a limit, a journal that cannot be written). `explicit`: a
 * `fail` step; nothing but an enclosing `try` goes on.
 */
export interface Failed {
  kind: 'failed';
  error: AgentError;
  meta: StepMeta;
  final: boolean;
  explicit: boolean;
}

export const NEXT: Flow = { kind: 'next' };

/** Carries the failure of an inner step up through the step around it. */
export class InnerFailure extends Error {
  readonly failed: Failed;

  constructor(failed: Failed) {
    super(failed.error.message);
    this.failed = failed;
  }
}

export function finalFailure(error: AgentError, meta: StepMeta): Failed {
  return { kind: 'failed', error, meta: { ...meta }, final: true, explicit: false };
}

/** What steps of one script see; an included script has its own. */
export interface Frame {
  script: Script;
  scope: Scope;
  /** References of the included scripts around, outermost first; empty for the run's own script. */
  includes: readonly string[];
  /** Before each path: empty, or the included script's reference and `#`. */
  pathPrefix: string;
  /** Inside a `for_each`, extractions of one name become a list. */
  inLoop: boolean;
  /** What a `succeed` step of this script said. One object for all copies of the frame. */
  ended: { message?: string; output?: JsonObject };
}

/** What one attempt of a step gave. */
export interface Done {
  flow: Flow;
  fields?: JsonObject;
  value?: JsonValue;
  data?: JsonObject;
  url?: string;
  skipped?: true;
}

/** The reason of an aborted signal; one that is no AgentError ended the run from outside. */
export function abortReason(signal: AbortSignal): AgentError {
  return toAgentError(signal.reason, 'BrowserAgent.Cancelled');
}
