import type { BrowserContext, Dialog } from 'playwright';
import { drop } from '../../base/drop.ts';
import type { Logger } from '../../base/log.ts';
import type { JsonObject } from '../../base/words.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

export interface DialogPlan {
  accept: boolean;
  promptText?: string | undefined;
}

/** dialog: plans the answer to the next dialog. */
export async function planDialog(step: StepOf<'dialog'>, ctx: ActionContext): Promise<ActionResult> {
  ctx.dialogs.plan({ accept: step.accept, promptText: step.prompt_text });
  return { fields: { planned: step.accept ? 'accept' : 'dismiss' } };
}

/** Longest part of a dialog's text that is kept, in characters. */
const MAX_TEXT_LENGTH = 500;

/**
 * Answers JavaScript dialogs; one that is not answered freezes its page. A `dialog` step plans the answer
 * to the next one. Without a plan an alert and "leave this page?" are accepted, as nothing else is
 * possible or wanted, and a question is declined; the step in which it came up says so.
 */
export class DialogQueue {
  readonly #plans: DialogPlan[] = [];
  readonly #log: Logger;
  #seen: JsonObject[] = [];
  /** Answers no more: for a context that outlives the run. Playwright dismisses what comes up then. */
  readonly close: () => void;

  constructor(context: BrowserContext, log: Logger) {
    this.#log = log;
    const onDialog = (dialog: Dialog): void => drop(this.#answer(dialog), log, 'answering a dialog');
    context.on('dialog', onDialog);
    this.close = () => context.off('dialog', onDialog);
  }

  /** For the next dialog that has no plan yet. */
  plan(plan: DialogPlan): void {
    this.#plans.push(plan);
  }

  /** The dialogs since the last call: `{type, message, accepted, planned}`. */
  takeSeen(): JsonObject[] {
    const seen = this.#seen;
    this.#seen = [];
    return seen;
  }

  async #answer(dialog: Dialog): Promise<void> {
    const type = dialog.type();
    // A page asking whether to leave is not the dialog that a script waits for.
    const plan = type === 'beforeunload' ? undefined : this.#plans.shift();
    const accepted = plan?.accept ?? (type === 'alert' || type === 'beforeunload');
    const message = dialog.message().slice(0, MAX_TEXT_LENGTH);
    this.#seen.push({ type, message, accepted, planned: plan !== undefined });
    if (!plan && type !== 'alert')
      this.#log.warn({ type, accepted }, 'a dialog came up that no dialog step had announced');
    if (accepted) await dialog.accept(plan?.promptText);
    else await dialog.dismiss();
  }
}
