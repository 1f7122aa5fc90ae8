import { basename } from 'node:path';
import { toBrowserError } from '../../browser/errors.ts';
import { resolveElement, type ElementTarget } from '../../browser/locators.ts';
import { settle } from '../../browser/settle.ts';
import { race } from './race.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** screenshot. Whether it leaves this machine is the recording level's decision; the result says which and why. */
export async function performScreenshot(
  step: StepOf<'screenshot'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const { page, signal, timeoutMs } = ctx;
  let target: ElementTarget | undefined;
  try {
    await settle(page, { timeoutMs, signal });
    if (step.locator) {
      target = await resolveElement(page, step.locator);
      await target.locator.waitFor({ timeout: timeoutMs, signal });
    }
    const request = {
      page,
      fullPage: step.full_page,
      upload: true,
      timeoutMs,
      ...(target && { locator: target.locator }),
      ...(step.save_to !== undefined && { name: basename(step.save_to) }),
    };
    const taken = await race(ctx.recorder.screenshot(request), { signal, timeoutMs, what: 'screenshot' });
    return {
      url: page.url(),
      fields: {
        filename: step.save_to === undefined ? basename(taken.key) : basename(step.save_to),
        path: taken.path,
        key: taken.key,
        size_bytes: taken.sizeBytes,
        uploaded: taken.uploaded,
        ...(taken.reason === undefined ? {} : { reason: taken.reason }),
        ...(step.include_in_result ? { include_in_result: true } : {}),
      },
    };
  } catch (thrown) {
    throw await toBrowserError(thrown, { page, action: 'screenshot', target, timeoutMs, signal });
  }
}
