import type { Cookie } from 'playwright';
import { AgentError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/words.ts';
import { evaluateCondition, type ConditionResult } from '../../browser/conditions.ts';
import { toBrowserError } from '../../browser/errors.ts';
import { describeLocator } from '../../browser/locators.ts';
import { describeCondition, type Condition } from '../../script/condition.ts';
import { noModel } from '../../script/no-model.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

interface Check {
  check: string;
  ok: boolean;
  detail?: string;
}

/**
 * validate_profile: whether the profile is signed in. `static` looks at what the profile keeps (cookies that
 * have not expired, local storage of the current page), `runtime` at what the page shows.
 */
export async function performValidateProfile(
  step: StepOf<'validate_profile'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const checks: Check[] = [];
  try {
    if (step.mode !== 'runtime') checks.push(...(await staticChecks(step, ctx)));
    if (step.mode !== 'static') checks.push(...(await runtimeChecks(step, ctx)));
  } catch (thrown) {
    const { page, timeoutMs, signal } = ctx;
    throw await toBrowserError(thrown, { page, action: 'validate_profile', timeoutMs, signal });
  }
  if (checks.length === 0)
    throw new AgentError(
      'BrowserAgent.InvalidScript',
      'validate_profile has nothing to check: give it cookie_domains, cookie_names, local_storage_keys, or ui_condition with mode "runtime".',
    );
  const failed = checks.filter((check) => !check.ok);
  const profile = ctx.profile.name ?? 'temporary';
  if (failed.length > 0)
    throw new AgentError(
      'BrowserAgent.LoginRequired',
      `The profile "${profile}" is not signed in: ${failed.map(({ check, detail }) => (detail ? `${check} (${detail})` : check)).join('; ')}. Open the profile, sign in, and run again.`,
      { data: { profile, checks } },
    );
  return { fields: { valid: true, mode: step.mode, profile, checks: checks as unknown as JsonObject[] } };
}

async function staticChecks(step: StepOf<'validate_profile'>, ctx: ActionContext): Promise<Check[]> {
  const cookies = (await ctx.context.cookies()).filter(isAlive);
  const domains = step.cookie_domains ?? [];
  const ofDomains =
    domains.length === 0
      ? cookies
      : cookies.filter((cookie) => domains.some((domain) => belongsTo(cookie, domain)));
  const checks: Check[] = domains.map((domain) => ({
    check: `a cookie of ${domain}`,
    ok: cookies.some((cookie) => belongsTo(cookie, domain)),
  }));
  for (const name of step.cookie_names ?? [])
    checks.push({ check: `the cookie ${name}`, ok: ofDomains.some((cookie) => cookie.name === name) });
  const keys = step.local_storage_keys ?? [];
  if (keys.length > 0) {
    const present = await ctx.page.evaluate(storedKeys);
    for (const key of keys)
      checks.push({
        check: `the local storage key ${key}`,
        ok: present?.includes(key) ?? false,
        ...(present ? {} : { detail: 'the current page has no storage: navigate to the site first' }),
      });
  }
  return checks;
}

async function runtimeChecks(step: StepOf<'validate_profile'>, ctx: ActionContext): Promise<Check[]> {
  if (!step.ui_condition) {
    if (step.ui_prompt !== undefined) throw noModel('validate_profile with ui_prompt', 'ui_prompt');
    return [];
  }
  const { met, error } = await evaluate(ctx, step.ui_condition);
  return [
    {
      check: `expected ${describeCondition(step.ui_condition, describeLocator)}`,
      ok: met,
      ...(error === undefined ? {} : { detail: error }),
    },
  ];
}

/** The engine evaluates it where it can, because only the engine knows the variables. */
async function evaluate(ctx: ActionContext, condition: Condition): Promise<ConditionResult> {
  if (ctx.evaluate) return ctx.evaluate(condition, ctx.signal);
  return evaluateCondition(ctx.page, condition, { signal: ctx.signal });
}

/** Session cookies (-1) live as long as the browser does. */
function isAlive(cookie: Cookie): boolean {
  return cookie.expires < 0 || cookie.expires * 1_000 > Date.now();
}

/** A cookie of the domain itself or of a host below it. */
function belongsTo(cookie: Cookie, domain: string): boolean {
  const host = cookie.domain.replace(/^\./, '').toLowerCase();
  const wanted = domain.replace(/^\*?\./, '').toLowerCase();
  return host === wanted || host.endsWith(`.${wanted}`);
}

/** In the page: names only, never values. Null where a page has no storage. */
function storedKeys(): string[] | null {
  try {
    return Object.keys(localStorage);
  } catch {
    return null;
  }
}
