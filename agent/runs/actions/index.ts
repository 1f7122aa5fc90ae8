import type { JsonObject } from '../../base/words.ts';
import { abortError, toBrowserError } from '../../browser/errors.ts';
import { typedTexts } from '../../script/actions/index.ts';
import type { LeafStep } from '../../script/schema.ts';
import { perform } from './executors.ts';
import { followPages, watchPopups } from './pages.ts';
import type { ActionContext, ActionResult } from './types.ts';
import { noteResponses } from './waits.ts';

export { DialogQueue } from './dialogs.ts';
export { followPages } from './pages.ts';
export { DEBUG_PREFIX, fieldsForLevel } from './types.ts';
export type { ActionContext, ActionResult } from './types.ts';

/**
 * Does one leaf step in the browser. Throws an AgentError when it could not be done, when a page went where
 * the policy forbids, or with the signal's own reason once that is aborted.
 */
export async function performAction(step: LeafStep, given: ActionContext): Promise<ActionResult> {
  // A step that turns to another page sees it here at once, whatever the caller's `page` does.
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
  if (ctx.meta.sensitive) for (const text of typedTexts(step)) ctx.recorder.maskValue(text);
  try {
    await followPages(ctx);
    await guard?.ready();
    const result = await perform(step, ctx);
    // A navigation that the step started may have been stopped meanwhile.
    guard?.throwIfDenied();
    return finished(result, ctx);
  } catch (thrown) {
    // Whatever the step says, this is the reason.
    guard?.throwIfDenied();
    const { page, signal, timeoutMs } = ctx;
    const secrets = typedTexts(step);
    throw await toBrowserError(thrown, { page, action: step.action, timeoutMs, signal, secrets });
  }
}

function finished(result: ActionResult, ctx: ActionContext): ActionResult {
  const dialogs = ctx.dialogs.takeSeen();
  const fields: JsonObject = { ...result.fields, ...(dialogs.length > 0 ? { dialogs } : {}) };
  return { url: ctx.page.url(), ...result, fields };
}
