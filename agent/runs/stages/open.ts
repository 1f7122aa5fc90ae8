/** The browser of a run and the page that it begins in. */
import { join } from 'node:path';
import { pageOf, refuseOtherProfile, type KeptBrowser } from '../kept-browser.ts';
import { PageInUse } from '../page-in-use.ts';
import type { RunEngineOptions } from '../engine-options.ts';
import { runFolder } from './run-folder.ts';
import type { OnPage, Opened, Queued } from './types.ts';

export interface OpenOptions extends RunEngineOptions {
  /** Closes what was opened when the run ends. */
  stack: AsyncDisposableStack;
  signal: AbortSignal;
  /** A browser that is open already, and stays open. */
  kept: KeptBrowser | undefined;
}

/** @throws AgentError ProfileNotFound, ProfileBusy, BrowserUnavailable; the signal's reason */
export async function openBrowser(queued: Queued, options: OpenOptions): Promise<Opened> {
  const { kept, stack, signal, browsers, runs, clock, events, paths } = options;
  if (kept) return { ...queued, stage: 'opened', browser: kept.opened };
  const { request, settings, script, log } = queued;
  const browser = await browsers.open({
    session: script.session,
    runId: request.runId,
    browser: settings.browser,
    downloadsDir: join(runFolder(request, paths), 'downloads'),
    signal,
    onWaiting: (profile, heldBy) => {
      log.info({ profile, heldBy }, 'the run waits for its profile');
      runs.transition(request.runId, 'waiting', { now: clock.now(), profile });
      events.emit({ type: 'run.waiting', runId: request.runId, for: 'profile', profile });
    },
  });
  stack.defer(() => browser.close());
  return { ...queued, stage: 'opened', browser };
}

/** @throws AgentError BrowserAgent.InvalidInput when the script asks for another profile than the open one */
export async function choosePage(opened: Opened, kept: KeptBrowser | undefined): Promise<OnPage> {
  if (kept) refuseOtherProfile(opened.script, opened.browser.profile);
  const page = kept ? await pageOf(kept) : opened.browser.session.page();
  return { ...opened, stage: 'on page', page: new PageInUse(page, kept) };
}

/** Writes down, and tells the listeners, that the run acts from now on. */
export function markRunning(run: OnPage, { runs, clock, events }: RunEngineOptions): void {
  const { request, script, level, browser } = run;
  const { profile } = browser;
  runs.transition(request.runId, 'running', {
    now: clock.now(),
    ...(profile === null ? {} : { profile }),
  });
  events.emit({ type: 'run.started', runId: request.runId, scriptName: script.name, profile, level });
}
