import { agentName } from './agent-name.ts';
import type { LoadedConfig } from './load.ts';

/** The settings of one run, in the form that the run engine takes. The wiring checks that they fit. */
export function runSettings(config: Pick<LoadedConfig, 'settings' | 'sourceOf'>) {
  const { aws, recording, worker, browser, run, script } = config.settings;
  return {
    recording: {
      override: recording.level_override,
      levelByAgent: recording.level_by_agent,
      levelByEnv: recording.level_by_env,
      // The resolver has the same default as its fallback. Only a level that somebody set is a reason of its own.
      defaultLevel: config.sourceOf('recording.default_level') === 'default' ? null : recording.default_level,
      maxLevel: recording.max_level,
      keepLevel: recording.keep_level,
      waitForUploads: recording.wait_for_uploads,
      maskSelectors: recording.mask_selectors,
    },
    agentName: agentName(worker),
    env: aws.env,
    bucket: aws.s3_bucket,
    browser: {
      channel: browser.channel,
      executablePath: browser.executable_path,
      headless: browser.headless,
      args: browser.args,
    },
    run: {
      timeoutMs: run.default_timeout_ms,
      stepTimeoutMs: run.default_step_timeout_ms,
      maxSteps: run.max_steps,
      maxVisits: run.max_visits,
    },
    script: { allowedEnv: script.allowed_env, allowedDomains: script.allowed_domains },
  };
}
