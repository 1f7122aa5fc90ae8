/** Installs the policy in the browser of a run, and makes the recorder that collects its evidence. */
import { installPolicy } from '../../browser/policy.ts';
import { Recorder } from '../../recording/recorder.ts';
import { intersectDomains } from '../domains.ts';
import type { RunEngineOptions } from '../engine-options.ts';
import { Evidence } from '../evidence.ts';
import { refuseOtherDomain, type KeptBrowser } from '../kept-browser.ts';
import { runFolder } from './run-folder.ts';
import type { Guarded, OnPage, Recording } from './types.ts';

/** @throws AgentError BrowserAgent.PolicyDenied when the script may not act in the page of a browser that stays open */
export async function guardPages(
  run: OnPage,
  { stack, kept }: { stack: AsyncDisposableStack; kept: KeptBrowser | undefined },
): Promise<Guarded> {
  const { script, settings, browser, page } = run;
  const allowedDomains = intersectDomains(
    script.policy?.allowed_domains ?? null,
    settings.script.allowedDomains,
  );
  const policy = await installPolicy(browser.session.context, allowedDomains);
  if (kept) {
    stack.defer(() => policy.remove());
    refuseOtherDomain(script, page.last, allowedDomains);
  }
  return { ...run, stage: 'guarded', policy, allowedDomains };
}

/** Makes the recorder; it records nothing before it is attached. */
export function makeRecorder(
  run: Guarded,
  options: RunEngineOptions,
  { keepsPages }: { keepsPages: boolean },
): Recording {
  const { request, settings, script, level, redactor, log, browser } = run;
  const { runs, uploads, clock, paths, ffmpeg, ffmpegs, auditHead } = options;
  const { session, profile } = browser;
  const evidence = new Evidence({
    runId: request.runId,
    taskId: request.taskId ?? null,
    scriptName: script.name,
    agentName: settings.agentName,
    level,
    bucket: settings.bucket,
    artifacts: runs,
    uploads,
    clock,
  });
  const recorder = new Recorder({
    runId: request.runId,
    runDir: runFolder(request, paths),
    level,
    keepLevel: request.overrides?.outDir === undefined ? settings.recording.keepLevel : level.level,
    redactor,
    sink: evidence,
    ffmpeg,
    clock,
    log,
    processes: ffmpegs,
    keepsPages,
    facts: {
      scriptName: script.name,
      ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
      agent: settings.agentName,
      ...(settings.env === null ? {} : { environment: settings.env }),
      profile,
      ...(auditHead ? { more: { audit_head: auditHead() } } : {}),
      browser: {
        kind: session.browser.name,
        version: session.browser.version,
        headless: session.headless,
      },
    },
  });
  return { ...run, stage: 'recording', recorder, evidence, steps: [] };
}
