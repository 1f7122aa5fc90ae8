import type { Locator as PageLocator } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/words.ts';
import { typedTexts } from '../../script/actions/index.ts';
import type { Target } from '../../browser/locators.ts';
import { actOn, readElement, whenReady, within, type Limits } from './element.ts';
import { chooseOption } from './select.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

type FillStep = StepOf<'fill' | 'type'>;

/** What kind of field it is, as the page says. */
interface FieldFacts {
  kind: 'field' | 'select' | 'other';
  secret: boolean;
}

/**
 * fill and type. Whether the value is a secret is found out before it is typed: a `sensitive` step, a
 * password field, or one whose autocomplete says password, one-time code or card. Then the recorder hides
 * the value and the field first, and the value is in no result, log or error.
 */
export async function performFill(step: FillStep, ctx: ActionContext): Promise<ActionResult> {
  const options = { action: step.action, secrets: typedTexts(step) };
  const { result, fields } = await actOn(step, ctx, options, (target, limits) =>
    enter(step, target, ctx, limits),
  );
  return { fields: { ...result, ...fields } };
}

async function enter(
  step: FillStep,
  target: Target,
  ctx: ActionContext,
  limits: Limits,
): Promise<JsonObject> {
  if (target.kind === 'point') {
    await ctx.recorder.beforeActing();
    limits.signal.throwIfAborted();
    await ctx.page.mouse.click(target.x, target.y, { clickCount: step.action === 'fill' ? 3 : 1 });
    const secret = ctx.meta.sensitive || (await ctx.page.evaluate(isSecretFocused));
    if (secret) {
      ctx.recorder.maskValue(step.value);
      await ctx.recorder.markSensitive(ctx.page.locator(':focus'), { timeoutMs: limits.left() });
    }
    await ctx.page.keyboard.insertText(step.value);
    return shownValue(step.value, secret);
  }
  const { locator } = target;
  const hiding = { mark: ctx.recorder.mark, sensitive: ctx.meta.sensitive };
  const [{ kind, secret }] = await Promise.all([
    readElement(locator, lookAndHide, limits, hiding),
    ctx.recorder.beforeActing(),
  ]);
  if (secret) {
    ctx.recorder.maskValue(step.value);
    await ctx.recorder.masked();
  }
  if (kind === 'select') await chooseOption(locator, { either: step.value }, limits);
  else if (step.action === 'type')
    await locator.pressSequentially(step.value, { delay: step.key_delay ?? 0, ...within(limits) });
  else if (kind === 'field') await whenReady((limit) => locator.fill(step.value, limit), limits);
  else await typeInto(step.value, locator, ctx, limits);
  return shownValue(step.value, secret);
}

function shownValue(value: string, secret: boolean): JsonObject {
  return secret ? { sensitive: true } : { _debug_value: value };
}

/** A control that is no field by itself, such as a combobox made of divs: typed into as a person would. */
async function typeInto(
  value: string,
  locator: PageLocator,
  ctx: ActionContext,
  limits: Limits,
): Promise<void> {
  await locator.click(within(limits));
  const accepts = await ctx.page.evaluate(takesText);
  if (!accepts)
    throw new AgentError(
      'BrowserAgent.StepFailed',
      'Could not fill it: it takes no text. Use select for a list, check for a box, upload for a file.',
    );
  await ctx.page.keyboard.insertText(value);
}

/** In the page: does what has the focus take text? A combobox of divs often moves the focus to its input. */
function takesText(): boolean {
  let el = document.activeElement;
  while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
  return (
    el instanceof HTMLTextAreaElement ||
    (el instanceof HTMLInputElement &&
      !/^(?:checkbox|radio|button|submit|file|range|color)$/.test(el.type)) ||
    (el instanceof HTMLElement &&
      (el.isContentEditable || /^(?:textbox|searchbox|combobox)$/.test(el.role ?? '')))
  );
}

/**
 * In the page: looks at the field, and hides it at once when a secret will be typed: a second look would
 * cost the run as much as the first. Stands alone, like every function that is sent there.
 */
function lookAndHide(elements: Element[], hiding: { mark: string | null; sensitive: boolean }): FieldFacts[] {
  return elements.map((given) => {
    // As Playwright does: a label stands for its control.
    const el = given instanceof HTMLLabelElement ? (given.control ?? given) : given;
    const autocomplete = el.getAttribute('autocomplete') ?? '';
    const secret =
      hiding.sensitive ||
      (el instanceof HTMLInputElement && el.type === 'password') ||
      /password|one-time-code|\bcc-(?!name|given|family|additional|type)/i.test(autocomplete) ||
      getComputedStyle(el).getPropertyValue('-webkit-text-security') === 'disc';
    if (secret && hiding.mark !== null && elements.length === 1) {
      (el as HTMLElement).style.setProperty('-webkit-text-security', 'disc', 'important');
      el.setAttribute(hiding.mark, '');
    }
    if (el instanceof HTMLSelectElement) return { kind: 'select', secret };
    const isField =
      el instanceof HTMLInputElement ||
      el instanceof HTMLTextAreaElement ||
      (el instanceof HTMLElement && el.isContentEditable);
    return { kind: isField ? 'field' : 'other', secret };
  });
}

function isSecretFocused(): boolean {
  const el = document.activeElement;
  return (
    el instanceof HTMLInputElement &&
    (el.type === 'password' || /password|one-time-code|\bcc-/.test(el.autocomplete))
  );
}
