import { AgentError, messageOf } from '../../base/errors.ts';
import { isClosedError, toBrowserError } from '../../browser/errors.ts';
import { shownUrl } from '../../browser/shown-url.ts';
import { evaluateScript } from '../../browser/page-script.ts';
import { settle } from '../../browser/settle.ts';
import { race } from './race.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** execute_js: an expression, statements, or a body with `return`; `args` is in scope. */
export async function performExecuteJs(
  step: StepOf<'execute_js'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const { page, signal, timeoutMs } = ctx;
  try {
    await settle(page, { timeoutMs, signal });
    const work = evaluateScript(page, step.script, step.args);
    const result = await race(work, { signal, timeoutMs, what: 'execute_js' });
    if (ctx.meta.sensitive && typeof result === 'string') ctx.recorder.maskValue(result);
    return { value: result, url: page.url(), fields: { result } };
  } catch (thrown) {
    const message = messageOf(thrown);
    // The script sent the page somewhere else, and its result went with the old page.
    if (/Execution context was destroyed/.test(message) && !page.isClosed())
      return { url: page.url(), fields: { result: null, navigated: true } };
    const attempt = { page, action: 'execute_js', timeoutMs, signal };
    if (thrown instanceof AgentError || signal.aborted || isClosedError(thrown))
      throw await toBrowserError(thrown, attempt);
    const reason = message
      .replace(/^page\.evaluate: /, '')
      .split('\n')[0]
      ?.slice(0, 400);
    throw new AgentError(
      'BrowserAgent.StepFailed',
      `The JavaScript failed on ${shownUrl(page.url())}: ${reason}`,
      { cause: thrown },
    );
  }
}
