import type { BrowserContext, Page } from 'playwright';
import type { Logger } from '../../base/log.ts';
import type { PolicyGuard } from '../../browser/policy.ts';
import type { RunRecorder } from '../../recording/types.ts';
import type { ActionResult, ConditionResult, StepMeta } from '../../script/interpreter.ts';
import type { Condition, LeafStep } from '../../script/schema.ts';
import type { StepGate } from '../pause-gate.ts';
import type { DialogQueue } from './dialogs.ts';

export type { ActionResult, StepMeta } from '../../script/interpreter.ts';

/**
 * Everything an action may touch.
 *
 * Convention for `ActionResult.fields`: a key that begins with {@link DEBUG_PREFIX} may be shown at DEBUG and
 * above only; {@link fieldsForLevel} takes it out below and drops the prefix otherwise. What may never be
 * shown is not in there at all.
 */
export interface ActionContext {
  /** The current page; read anew by every action. */
  page: Page;
  /** A pop-up was opened or closed: the run goes on in this page. */
  setPage(page: Page): void;
  context: BrowserContext;
  meta: StepMeta;
  /** Its reason is an AgentError; once aborted nothing more is done in the browser. */
  signal: AbortSignal;
  /** Milliseconds this step has. */
  timeoutMs: number;
  recorder: Pick<
    RunRecorder,
    'beforeActing' | 'screenshot' | 'addFile' | 'maskValue' | 'markSensitive' | 'mark' | 'masked'
  >;
  policy: { allowedDomains: string[] | null; guard?: PolicyGuard };
  files: {
    /** The only folder that `upload` reads from. */
    uploads: string;
    downloads: string;
    scripts: string;
  };
  profile: { name: string | null; dir: string };
  dialogs: DialogQueue;
  /** Whoever takes hold of the run while the action only waits has it at once; its time stands still meanwhile. */
  gate: StepGate;
  log: Logger;
  /** Runs the step inside this one: the trigger of a download. */
  performNested(step: LeafStep): Promise<ActionResult>;
  /** Evaluates any condition, those about variables included. Default: only conditions about the page. */
  evaluate?(condition: Condition, signal: AbortSignal): Promise<ConditionResult>;
}

export const DEBUG_PREFIX = '_debug_';

/** The leaf step with this action, e.g. `StepOf<'click'>`. */
export type StepOf<A extends LeafStep['action']> = Extract<LeafStep, { action: A }>;

/** Takes out what may be shown at DEBUG only, or drops the prefix that says so. */
export function fieldsForLevel<T>(fields: Record<string, T>, atLeastDebug: boolean): Record<string, T> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => {
      if (!key.startsWith(DEBUG_PREFIX)) return [[key, value]];
      return atLeastDebug ? [[key.slice(DEBUG_PREFIX.length), value]] : [];
    }),
  );
}
