import type { BrowserContext, Page, Response } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import { matches, requireUrlPattern } from '../../base/pattern.ts';
import { wait } from '../../base/wait.ts';
import { abortError, isTimeoutError, toBrowserError } from '../../browser/errors.ts';
import { shownUrl } from '../../browser/shown-url.ts';
import { until } from '../../browser/conditions.ts';
import { actOnElement, within } from './element.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** A `wait` for an element without a timeout of its own, milliseconds, as the earlier program had it. */
const WAIT_TIMEOUT_MS = 5_000;
/** A `wait` that says nothing, milliseconds, as the earlier program had it. */
const WAIT_MS = 1_000;

export async function performWait(step: StepOf<'wait'>, ctx: ActionContext): Promise<ActionResult> {
  if (step.locator) {
    const timeoutMs = step.timeout ?? Math.min(WAIT_TIMEOUT_MS, ctx.timeoutMs);
    return waitForElement(step, step.state ?? 'visible', { ...ctx, timeoutMs });
  }
  const durationMs = step.duration ?? between(step.duration_range) ?? WAIT_MS;
  try {
    await wait(durationMs, ctx.signal);
  } catch {
    throw abortError(ctx.signal);
  }
  return { fields: { duration: Math.round(durationMs) } };
}

export async function performWaitForSelector(
  step: StepOf<'wait_for_selector'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  return waitForElement(step, step.state, ctx);
}

export async function performWaitForLoadState(
  step: StepOf<'wait_for_load_state'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const { page, signal, timeoutMs } = ctx;
  try {
    await page.waitForLoadState(step.state, { timeout: timeoutMs, signal });
  } catch (thrown) {
    throw await toBrowserError(thrown, {
      page,
      action: `wait_for_load_state ${step.state}`,
      timeoutMs,
      signal,
    });
  }
  return { url: page.url(), fields: { state: step.state } };
}

export async function performWaitForUrl(
  step: StepOf<'wait_for_url'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const { page, signal, timeoutMs } = ctx;
  const pattern = requireUrlPattern(step.pattern);
  try {
    await waitForAddress(page, (url) => matches(pattern, url, { signal }), { timeoutMs, signal });
  } catch (thrown) {
    if (!isTimeoutError(thrown))
      throw await toBrowserError(thrown, { page, action: 'wait_for_url', timeoutMs, signal });
    throw new AgentError(
      'BrowserAgent.StepTimeout',
      `The page did not get to "${step.pattern}" within ${timeoutMs / 1000} s: it is on ${shownUrl(page.url())}.`,
    );
  }
  return { url: page.url() };
}

/** As Playwright's `waitForURL`, with a predicate that may take its time. */
async function waitForAddress(
  page: Page,
  isWanted: (url: string) => Promise<boolean>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  // Listens before it looks: the page may get there meanwhile.
  const navigated = page.waitForEvent('framenavigated', {
    predicate: async (frame) => frame === page.mainFrame() && isWanted(frame.url()),
    timeout: timeoutMs,
    signal,
  });
  navigated.catch(() => undefined);
  if (!(await isWanted(page.url()))) await navigated;
  const timeout = Math.max(1, deadline - performance.now());
  await page.waitForLoadState('load', { timeout, signal });
}

/** What came since the step before began counts, too: that step usually is what asked for it. */
export async function performWaitForResponse(
  step: StepOf<'wait_for_response'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const pattern = requireUrlPattern(step.pattern);
  const { signal } = ctx;
  const isWanted = async (response: Response): Promise<boolean> =>
    (step.status === undefined || response.status() === step.status) &&
    (step.method === undefined || response.request().method() === step.method.toUpperCase()) &&
    matches(pattern, response.url(), { signal });
  const earlier = recent.get(ctx.context);
  const seen = new Set<Response>();
  let found: Response | undefined;
  const arrived = await until(ctx.timeoutMs, signal, async () => {
    for (const response of earlier?.all() ?? []) {
      if (seen.has(response)) continue;
      seen.add(response);
      if (await isWanted(response)) found = response;
      if (found) return true;
    }
    return false;
  });
  if (!arrived || !found)
    throw new AgentError(
      'BrowserAgent.StepTimeout',
      `No response from "${step.pattern}" within ${ctx.timeoutMs / 1000} s. ${earlier?.summary() ?? ''}`,
    );
  return {
    fields: { status: found.status(), method: found.request().method(), response_url: shownUrl(found.url()) },
  };
}

async function waitForElement(
  step: Parameters<typeof actOnElement>[0],
  state: 'attached' | 'detached' | 'visible' | 'hidden',
  ctx: ActionContext,
): Promise<ActionResult> {
  const { fields } = await actOnElement(
    step,
    ctx,
    { action: 'wait_for_selector' },
    async ({ locator, description }, limits) => {
      // Any match will do: waiting is about whether it is there, not about which one.
      const some = state === 'visible' ? locator.filter({ visible: true }).first() : locator.first();
      if (state === 'visible' || state === 'attached') return some.waitFor({ state, ...within(limits) });
      const visible = state === 'hidden' ? locator.filter({ visible: true }) : locator;
      const gone = await until(limits.left(), limits.signal, async () => (await visible.count()) === 0);
      if (!gone)
        throw new AgentError(
          'BrowserAgent.StepTimeout',
          `${description} is still there: waited for it to be ${state}.`,
        );
    },
  );
  return { fields: { ...fields, state } };
}

function between(range: [number, number] | undefined): number | undefined {
  if (!range) return undefined;
  const [from, to] = range;
  return from + Math.random() * Math.max(0, to - from);
}

/** Responses kept per context: a page with more of them between two steps loses the oldest. */
const MAX_RECENT = 300;

const recent = new WeakMap<BrowserContext, RecentResponses>();

/** Starts noting a context's responses; each call marks the beginning of a step. */
export function noteResponses(context: BrowserContext): void {
  const known = recent.get(context);
  if (known) known.nextStep();
  else recent.set(context, new RecentResponses(context));
}

/** The responses since the step before began. */
class RecentResponses {
  #before: Response[] = [];
  #now: Response[] = [];

  constructor(context: BrowserContext) {
    context.on('response', (response) => {
      this.#now.push(response);
      if (this.#now.length > MAX_RECENT) this.#now.shift();
    });
  }

  nextStep(): void {
    this.#before = this.#now;
    this.#now = [];
  }

  all(): Response[] {
    return [...this.#before, ...this.#now];
  }

  summary(): string {
    const LISTED = 3;
    const urls = this.all()
      .slice(-LISTED)
      .map((response) => `${response.status()} ${shownUrl(response.url())}`);
    return urls.length > 0 ? `The last ones were ${urls.join(', ')}.` : 'There was no response at all.';
  }
}
