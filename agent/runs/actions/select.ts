import type { Locator as PageLocator } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import { compilePattern, escapePattern } from '../../base/pattern.ts';
import { actOnElement, readElement, whenReady, within, type Limits } from './element.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** What to choose. `either` is a value or, failing that, a label: as `fill` on a list means it. */
export type Choice =
  | { value: string | string[] }
  | { label: string | string[] }
  | { index: number }
  | { either: string };

/** select: an option of a native list, or of a combobox that the page builds itself. */
export async function performSelect(step: StepOf<'select'>, ctx: ActionContext): Promise<ActionResult> {
  const choice = choiceOf(step);
  const { result, fields } = await actOnElement(
    step,
    ctx,
    { action: 'select' },
    async ({ locator }, limits) => {
      const tag = await readElement(locator, (all) => all.map((el) => el.tagName), limits);
      if (tag === 'SELECT') return chooseOption(locator, choice, limits);
      return chooseInWidget(locator, choice, ctx, limits);
    },
  );
  const shown = ctx.meta.sensitive ? {} : { selected: result };
  return { fields: { ...shown, ...fields } };
}

/** Options of a native `<select>`; gives the values that are now chosen. */
export async function chooseOption(locator: PageLocator, choice: Choice, limits: Limits): Promise<string[]> {
  const wanted = wantedOption(choice);
  return whenReady((limit) => locator.selectOption(wanted, limit), limits);
}

function wantedOption(choice: Choice): { index: number } | { label: string }[] | string | string[] {
  if ('index' in choice) return { index: choice.index };
  if ('label' in choice) return [choice.label].flat().map((label) => ({ label }));
  // A plain string means a value or a label to Playwright, which is how scripts are written, too.
  return 'value' in choice ? choice.value : choice.either;
}

function choiceOf(step: StepOf<'select'>): Choice {
  if (step.label !== undefined) return { label: step.label };
  if (step.value !== undefined) return { value: step.value };
  if (step.index !== undefined) return { index: step.index };
  throw new AgentError(
    'BrowserAgent.InvalidScript',
    'select needs value, label or index: which option is meant?',
  );
}

/** How long options may take to appear before the text is typed to filter them, milliseconds. */
const OPEN_PATIENCE_MS = 1_500;

/** A combobox of the page's own making: opened by a click, its option found by role or by text. */
async function chooseInWidget(
  locator: PageLocator,
  choice: Choice,
  ctx: ActionContext,
  limits: Limits,
): Promise<string[]> {
  const { page } = ctx;
  const chosen: string[] = [];
  const labels = 'index' in choice ? [choice.index] : (Object.values(choice).flat() as string[]);
  for (const label of labels) {
    await locator.click(within(limits));
    const options = page
      .locator('[role=option],[role=listbox] li,[role=menuitemradio],[role=menuitem]')
      .filter({ visible: true });
    const option = typeof label === 'number' ? options.nth(label) : optionNamed(options, label);
    const isOpen = await option
      .waitFor({ timeout: Math.min(OPEN_PATIENCE_MS, limits.left()), signal: limits.signal })
      .then(
        () => true,
        () => false,
      );
    // Long lists show their options only once something is typed.
    if (!isOpen && typeof label === 'string') await page.keyboard.insertText(label);
    const text = await option.innerText(within(limits)).catch(() => '');
    if (!text && !(await option.count())) throw await noSuchOption(label, options);
    await option.click(within(limits));
    chosen.push(text.trim());
  }
  return chosen;
}

/** An exact name first: "Ireland" is not "Northern Ireland". */
function optionNamed(options: PageLocator, label: string): PageLocator {
  const name = compilePattern({ source: `^\\s*${escapePattern(label)}\\s*$`, flags: 'i' });
  const exact = options.filter({ hasText: name });
  const byValue = options.and(
    options.page().locator(`[data-value=${JSON.stringify(label)}],[value=${JSON.stringify(label)}]`),
  );
  return exact.or(byValue).first();
}

async function noSuchOption(label: string | number, options: PageLocator): Promise<AgentError> {
  const LISTED = 8;
  const names = (await options.allInnerTexts().catch(() => [])).map((name) => name.trim()).filter(Boolean);
  const there = names.length > 0 ? `There are: ${names.slice(0, LISTED).join(', ')}.` : 'No options came up.';
  return new AgentError('BrowserAgent.ElementNotFound', `The list has no option "${label}". ${there}`);
}
