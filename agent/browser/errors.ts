import type { Page } from 'playwright';
import { AgentError, messageOf, type ErrorName } from '../base/errors.ts';
import { explainAbsence } from './near-misses.ts';
import type { Target } from './locators.ts';
import { shownUrl } from './shown-url.ts';

/** What was being done when Playwright threw. */
export interface Attempt {
  page: Page;
  /** The step's action, e.g. `click`. */
  action: string;
  target?: Target | undefined;
  /** Address being opened, for navigations. */
  url?: string | undefined;
  /** Milliseconds the attempt was given. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Never to be shown, e.g. the value being typed. */
  secrets?: readonly string[];
}

/**
 * The one mapping from what Playwright throws to the agent's error names. The message says what was looked
 * for, where, what was there instead and what to try. Playwright's own error is not attached as the cause
 * when it may quote a secret: its call log repeats what was typed.
 */
export async function toBrowserError(thrown: unknown, attempt: Attempt): Promise<AgentError> {
  if (thrown instanceof AgentError) return thrown;
  if (attempt.signal.aborted) return abortError(attempt.signal);
  const full = messageOf(thrown);
  const { name, message } = await explain(full, attempt);
  const data: Record<string, unknown> = { page_url: shownUrl(attempt.page.url()) };
  if (attempt.target) data['locator'] = attempt.target.description;
  const options = attempt.secrets?.length ? { data } : { data, cause: thrown };
  return new AgentError(name, withoutSecrets(message, attempt.secrets ?? []), options);
}

/** The reason of an aborted signal, as an error: the engine aborts with an {@link AgentError}. */
export function abortError(signal: AbortSignal): AgentError {
  const reason: unknown = signal.reason;
  if (reason instanceof AgentError) return reason;
  return new AgentError('BrowserAgent.Cancelled', `Stopped: ${messageOf(reason)}`, { cause: reason });
}

/** Whether the page, its context or the browser is gone. */
export function isClosedError(thrown: unknown): boolean {
  return CLOSED.test(messageOf(thrown));
}

/** Whether something lies over the element and takes the click. */
export function isCoveredError(thrown: unknown): boolean {
  return messageOf(thrown).includes('intercepts pointer events');
}

export function isTimeoutError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'TimeoutError';
}

const CLOSED =
  /has been closed|Target closed|Browser closed|browser has disconnected|Connection closed|Target crashed|Page crashed/i;
const INVALID_SELECTOR =
  /while parsing (?:css )?selector|is not a valid (?:XPath expression|selector)|Unknown engine|Malformed selector|Unsupported token|Error while parsing/i;

interface Explained {
  name: ErrorName;
  message: string;
}

async function explain(full: string, attempt: Attempt): Promise<Explained> {
  const { action, target, page } = attempt;
  const where = `on ${shownUrl(page.url())}`;
  const what = target ? `${action} ${target.description}` : action;
  const first = firstLine(full);

  if (/crashed/i.test(full) && CLOSED.test(full))
    return {
      name: 'BrowserAgent.BrowserUnavailable',
      message: `The page crashed during ${what} ${where}. Check the machine's free memory; the run can be tried again.`,
    };
  if (CLOSED.test(full))
    return {
      name: 'BrowserAgent.BrowserUnavailable',
      message: `The browser or its page was closed during ${what} ${where}. If nobody closed it, look at the machine's memory and the agent's log; the run can be tried again.`,
    };
  if (INVALID_SELECTOR.test(full))
    return {
      name: 'BrowserAgent.InvalidScript',
      message: `Cannot ${what}: the selector is not valid (${first}). Check quotes and brackets; text is found with strategy "text".`,
    };
  if (full.includes('strict mode violation')) return explainSeveral(full, what, where);
  const net = /net::(ERR_\w+)|Cannot navigate to invalid URL|interrupted by another navigation/.exec(full);
  if (net) return explainNetwork(net[1] ?? net[0], attempt);
  if (/Frame was detached|frame got detached|Execution context was destroyed/i.test(full))
    return {
      name: 'BrowserAgent.ElementNotFound',
      message: `The frame or page was replaced during ${what} ${where}. Wait for the new page first (wait_for_load_state or wait_for_selector), or add "retry".`,
    };
  if (/Timeout [\d.]+ms exceeded|Timed out/i.test(full)) return explainTimeout(full, attempt, what, where);
  return { name: 'BrowserAgent.StepFailed', message: `Could not ${what} ${where}: ${first}.${hint(full)}` };
}

/** What Playwright says first, without its call log, colours and the method's name. */
function firstLine(full: string): string {
  const line = stripColours(full).split('\n')[0] ?? '';
  return line
    .replace(/^[\w.]+: /, '')
    .replace(/^Error: /, '')
    .replace(/[.\s]+$/, '')
    .slice(0, 400);
}

function stripColours(text: string): string {
  // oxlint-disable-next-line no-control-regex -- terminal colours begin with that character
  return text.replace(/\u001b\[\d+m/g, '');
}

/** Most matches listed: enough to choose, short enough to read. */
const LISTED = 5;

function explainSeveral(full: string, what: string, where: string): Explained {
  const count = /resolved to (\d+) elements/.exec(full)?.[1] ?? 'several';
  const matches = [...full.matchAll(/^\s+\d+\) (.+?)(?: aka (.+))?$/gm)]
    .slice(0, LISTED)
    .map((m) => m[1]!.slice(0, 120));
  return {
    name: 'BrowserAgent.ElementNotFound',
    message: `Cannot ${what} ${where}: ${count} elements match and it is not clear which one is meant: ${matches.join(', ')}. Make the locator narrower, or choose one with "nth" (0 is the first).`,
  };
}

const NETWORK_ADVICE: Record<string, string> = {
  ERR_NAME_NOT_RESOLVED: 'The host name is unknown: check the address, the network and a VPN.',
  ERR_CONNECTION_REFUSED: 'Nothing answers there: check the port and that the site is up.',
  ERR_INTERNET_DISCONNECTED: 'This machine has no network connection.',
  ERR_CONNECTION_TIMED_OUT: 'The site did not answer: check the network, a VPN or proxy.',
  ERR_PROXY_CONNECTION_FAILED: 'The proxy does not answer: check the proxy settings.',
  ERR_TOO_MANY_REDIRECTS: 'The site redirects in a circle: often a sign-in that was lost.',
  ERR_UNSAFE_PORT: 'Browsers refuse this port.',
  ERR_ABORTED: 'The navigation was stopped: by the page, a download (use a download step), or a policy.',
  'Cannot navigate to invalid URL': 'An address begins with https:// or http://.',
};

function explainNetwork(code: string, attempt: Attempt): Explained {
  const advice =
    NETWORK_ADVICE[code] ??
    (code.startsWith('ERR_CERT')
      ? 'The certificate is not trusted: install it, or set session.ignore_https_errors for a test system.'
      : "Try again; if it stays, open the address in this machine's browser.");
  const address = shownUrl(attempt.url ?? attempt.page.url());
  return { name: 'BrowserAgent.NavigationFailed', message: `Could not open ${address}: ${code}. ${advice}` };
}

async function explainTimeout(
  full: string,
  attempt: Attempt,
  what: string,
  where: string,
): Promise<Explained> {
  const seconds = `${Number((attempt.timeoutMs / 1000).toFixed(1))} s`;
  if (attempt.action === 'navigate')
    return {
      name: 'BrowserAgent.NavigationFailed',
      message: `${shownUrl(attempt.url ?? '')} did not finish loading within ${seconds}. Raise the step's "timeout", or set "wait_until" to "domcontentloaded" for a page that keeps loading.`,
    };
  const { target } = attempt;
  if (!target || target.kind === 'point')
    return {
      name: 'BrowserAgent.StepTimeout',
      message: `${what} ${where} was not done within ${seconds}. Raise the step's "timeout" if the page is slow.`,
    };
  const obstacle = obstacleIn(full);
  if (obstacle)
    return {
      name: 'BrowserAgent.StepTimeout',
      message: `Could not ${what} ${where} within ${seconds}: the element is there, but ${obstacle}.`,
    };
  return {
    name: 'BrowserAgent.ElementNotFound',
    message: `Could not ${what} ${where}: not found within ${seconds}. ${await explainAbsence(attempt.page, target)}`,
  };
}

/** Why an element that was found could not be used: the last obstacle in Playwright's call log. */
function obstacleIn(full: string): string | undefined {
  const log = stripColours(full);
  if (!log.includes('locator resolved to')) return undefined;
  const covering = [...log.matchAll(/(<[^\n]{1,200}?>).{0,120}intercepts pointer events/g)].at(-1)?.[1];
  if (covering) return `${covering} lies over it: close that first (a dialog, a cookie banner)`;
  if (log.includes('element is not enabled'))
    return 'it is disabled: something before it may have to be filled in';
  if (log.includes('element is not editable')) return 'it is read-only';
  if (log.includes('element is not visible'))
    return 'it is hidden: open the menu, tab or section it is in first';
  if (log.includes('element is outside of the viewport')) return 'it cannot be scrolled into view';
  if (log.includes('element is not stable')) return 'it does not stop moving';
  if (log.includes('did not find some options')) return 'it has no such option';
  return 'it could not be used';
}

function hint(full: string): string {
  if (full.includes('Element is not an <input>'))
    return ' Only fields can be filled: name the field itself, for instance with strategy "form_field".';
  if (/Malformed value/.test(full)) return ' A date is written 2025-01-31, a time 13:45, a month 2025-01.';
  if (/Cannot type text into input\[type=number\]/.test(full)) return ' The field takes only numbers.';
  if (/input of type "(?:checkbox|radio)"/.test(full)) return ' Use check or uncheck for it.';
  if (/input of type "file"/.test(full)) return ' Use upload for it.';
  return '';
}

/** A value shorter than this would blank out ordinary words of the message. */
const MIN_SECRET_LENGTH = 3;

function withoutSecrets(message: string, secrets: readonly string[]): string {
  let clean = message;
  for (const secret of secrets)
    if (secret.length >= MIN_SECRET_LENGTH) clean = clean.replaceAll(secret, '•••');
  return clean;
}
