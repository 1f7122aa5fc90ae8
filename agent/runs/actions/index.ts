import { AgentError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/words.ts';
import { abortError, toBrowserError } from '../../browser/errors.ts';
import { noModel } from '../../script/no-model.ts';
import type { LeafStep } from '../../script/schema.ts';
import { performExecuteJs } from './execute-js.ts';
import { performExtractDom } from './extract-dom.ts';
import { performExtractTable } from './extract-table.ts';
import { performDownload, performUpload } from './files.ts';
import { performFill } from './fill.ts';
import { performPress } from './keyboard.ts';
import { performNavigate } from './navigate.ts';
import { followPages, watchPopups } from './pages.ts';
import { performPointer } from './pointer.ts';
import { performValidateProfile } from './profile-check.ts';
import { performScreenshot } from './screenshot.ts';
import { performScroll } from './scroll.ts';
import { performSelect } from './select.ts';
import type { ActionContext, ActionResult } from './types.ts';
import {
  noteResponses,
  performWait,
  performWaitForLoadState,
  performWaitForResponse,
  performWaitForSelector,
  performWaitForUrl,
} from './waits.ts';

export { DialogQueue } from './dialogs.ts';
export { followPages } from './pages.ts';
export { DEBUG_PREFIX, fieldsForLevel } from './types.ts';
export type { ActionContext, ActionResult } from './types.ts';

const LATE_ACTIONS: ReadonlySet<LeafStep['action']> = new Set([
  'fill',
  'type',
  'click',
  'double_click',
  'hover',
  'check',
  'uncheck',
]);

/** Looks at its element before it acts, and waits for the recorder itself, meanwhile. */
export function actsLate(step: LeafStep): boolean {
  return LATE_ACTIONS.has(step.action);
}

const WAITS: ReadonlySet<LeafStep['action']> = new Set([
  'wait',
  'wait_for_selector',
  'wait_for_load_state',
  'wait_for_url',
  'wait_for_response',
]);

/** Looks at the page and waits; `time`: for nothing but time to pass. */
export function waitsFor(step: LeafStep): 'page' | 'time' | null {
  if (!WAITS.has(step.action)) return null;
  return step.action === 'wait' && !step.locator ? 'time' : 'page';
}

/**
 * Does one leaf step in the browser. Throws an AgentError when it could not be done, when a page went where
 * the policy forbids, or with the signal's own reason once that is aborted.
 */
export async function performAction(step: LeafStep, given: ActionContext): Promise<ActionResult> {
  // Turning to another page in the middle of a step shows here at once, whatever the caller's `page` does.
  const ctx: ActionContext = {
    ...given,
    setPage: (page) => {
      ctx.page = page;
      given.setPage(page);
    },
  };
  if (ctx.signal.aborted) throw abortError(ctx.signal);
  const { guard } = ctx.policy;
  guard?.throwIfDenied();
  watchPopups(ctx.context);
  noteResponses(ctx.context);
  try {
    await followPages(ctx);
    await guard?.ready();
    const result = await dispatch(step, ctx);
    // A navigation that the step set off may have been stopped meanwhile.
    guard?.throwIfDenied();
    return finished(result, ctx);
  } catch (thrown) {
    // Whatever the step says, this is why.
    guard?.throwIfDenied();
    const { page, signal, timeoutMs } = ctx;
    throw await toBrowserError(thrown, { page, action: step.action, timeoutMs, signal });
  }
}

function finished(result: ActionResult, ctx: ActionContext): ActionResult {
  const dialogs = ctx.dialogs.takeSeen();
  const fields: JsonObject = { ...result.fields, ...(dialogs.length > 0 ? { dialogs } : {}) };
  return { url: ctx.page.url(), ...result, fields };
}

async function dispatch(step: LeafStep, ctx: ActionContext): Promise<ActionResult> {
  switch (step.action) {
    case 'navigate':
      return performNavigate(step, ctx);
    case 'click':
    case 'double_click':
    case 'hover':
    case 'check':
    case 'uncheck':
      return performPointer(step, ctx);
    case 'fill':
    case 'type':
      return performFill(step, ctx);
    case 'press':
      return performPress(step, ctx);
    case 'select':
      return performSelect(step, ctx);
    case 'upload':
      return performUpload(step, ctx);
    case 'download':
      return performDownload(step, ctx);
    case 'scroll':
      return performScroll(step, ctx);
    case 'wait':
      return performWait(step, ctx);
    case 'wait_for_load_state':
      return performWaitForLoadState(step, ctx);
    case 'wait_for_selector':
      return performWaitForSelector(step, ctx);
    case 'wait_for_url':
      return performWaitForUrl(step, ctx);
    case 'wait_for_response':
      return performWaitForResponse(step, ctx);
    case 'screenshot':
      return performScreenshot(step, ctx);
    case 'extract_dom':
      return performExtractDom(step, ctx);
    case 'extract_table':
      return performExtractTable(step, ctx);
    case 'execute_js':
      return performExecuteJs(step, ctx);
    case 'dialog':
      ctx.dialogs.plan({ accept: step.accept, promptText: step.prompt_text });
      return { fields: { planned: step.accept ? 'accept' : 'dismiss' } };
    case 'validate_profile':
      return performValidateProfile(step, ctx);
    case 'act':
    case 'act_with_schema':
    case 'extract':
    case 'extract_by_llm':
    case 'select_by_llm':
      throw noModel(step.action, step.action);
    case 'assert':
    case 'human':
    case 'fail':
    case 'succeed':
    case 'include':
    case 'goto':
      throw new AgentError(
        'BrowserAgent.Internal',
        `${step.action} is not done in the browser: the interpreter does it.`,
      );
  }
}
