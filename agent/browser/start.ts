import { mkdirSync } from 'node:fs';
import type { Browser, BrowserContext } from 'playwright';
import { AgentError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { letHeapGrow } from '../base/memory.ts';
import { thisMachine } from './browser-paths.ts';
import { chooseBrowser, type BrowserChoice, type FoundBrowser } from './detect.ts';
import { browserEnv, browserFlags, sandboxed } from './flags.ts';
import { contextOptions, type PageOptions } from './page-options.ts';
import { yieldProcessor } from './priority.ts';
import type { Processes } from './processes.ts';
import type { BrowserFacts } from './session.ts';

export interface StartOptions extends PageOptions, BrowserChoice {
  /** Absolute path of the user data directory. */
  userDataDir: string;
  /** Where Playwright puts what it does not clean up after a crash: traces and downloads in the making. */
  artifactsDir: string;
  /** Where downloads go until a step saves them; default: among the artifacts. */
  downloadsDir?: string;
  headless: boolean;
  /** More flags for the browser, as configured. */
  args?: readonly string[];
  runId?: string;
  processes: Processes;
  log: Logger;
}

/** A running browser with the persistent context of its user data directory. */
export interface StartedBrowser {
  context: BrowserContext;
  browser: Browser;
  facts: BrowserFacts;
  /** Closes in good order within {@link CLOSE_TIMEOUT_MS}, then by force. Never throws. */
  end(): Promise<void>;
}

/** Chromium starts in half a second; a cold disk, a virus scanner or a swapping machine take their time. */
const LAUNCH_TIMEOUT_MS = 60_000;
/** A profile is flushed to disk within a second; what has not ended by then never will. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Starts a browser on a user data directory. The process is announced before it exists, on record as soon
 * as its pid is known, and gone with all its children when `end` resolves or this throws.
 *
 * @throws AgentError BrowserUnavailable or ProfileBusy, saying what to do
 */
export async function startBrowser(options: StartOptions): Promise<StartedBrowser> {
  const { processes, log, userDataDir } = options;
  const context = contextOptions(options);
  const machine = thisMachine();
  const found = await chooseBrowser(options, machine);
  if (!options.headless) requireDisplay(machine.platform, machine.env);
  mkdirSync(userDataDir, { recursive: true, mode: 0o700 });
  mkdirSync(options.artifactsDir, { recursive: true, mode: 0o700 });

  const expected = processes.expect({
    kind: 'browser',
    userDataDir,
    ...(options.runId === undefined ? {} : { runId: options.runId }),
  });
  try {
    letHeapGrow();
    // Playwright takes 75 MB: an agent that has not run anything yet does without. Our selector engines
    // have to be there before the first context is.
    const [{ chromium }] = await Promise.all([import('playwright'), import('./form-field.ts')]);
    const persistent = await chromium.launchPersistentContext(userDataDir, {
      ...context,
      ...(found.channel === null ? { executablePath: found.executablePath } : { channel: found.channel }),
      headless: options.headless,
      args: browserFlags(options.args),
      chromiumSandbox: sandboxed(machine),
      env: browserEnv(machine.env),
      artifactsDir: options.artifactsDir,
      ...(options.downloadsDir === undefined ? {} : { downloadsPath: options.downloadsDir }),
      timeout: LAUNCH_TIMEOUT_MS,
      // The agent drains on signals; Playwright would end the browser under a run.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const browser = persistent.browser();
    if (!browser) throw new Error('Playwright gave no browser for the context');
    const pid = await browserPid(browser);
    // Not awaited: on macOS and Windows the start time takes a while to ask for, and the announcement
    // keeps the process from getting lost until then.
    const tracked = expected.started(pid);
    tracked.catch((thrown: unknown) => log.warn({ err: thrown, pid }, 'cannot put a browser on record'));
    yieldProcessor(pid).catch((thrown: unknown) =>
      // In a container, say: it works all the same.
      log.debug({ err: thrown, pid }, 'cannot lower the priority of a browser'),
    );
    return {
      context: persistent,
      browser,
      facts: { name: found.name, version: browser.version(), executablePath: found.executablePath, pid },
      end: async () => {
        const closed = await closeWithin(persistent, CLOSE_TIMEOUT_MS);
        if (!closed)
          log.warn({ pid }, `the browser did not close within ${CLOSE_TIMEOUT_MS} ms: ended by force`);
        try {
          await (await tracked).end();
        } catch (thrown) {
          log.error({ err: thrown, pid }, 'cannot end a browser; the next start of the agent tries again');
        }
      },
    };
  } catch (thrown) {
    await expected.failed();
    throw launchError(thrown, found, userDataDir);
  }
}

/** Asked over the DevTools protocol: the same on all platforms, also behind a wrapper script. */
async function browserPid(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const main = processInfo.find((info) => info.type === 'browser');
    if (!main) throw new Error('the browser does not tell its process id');
    return main.id;
  } finally {
    await session.detach();
  }
}

/** Whether closing came to an end in time. */
export async function closeWithin(context: BrowserContext, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      context.close().then(
        () => true,
        () => false,
      ),
      new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), timeoutMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function requireDisplay(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): void {
  if (platform !== 'linux' || env['DISPLAY'] || env['WAYLAND_DISPLAY']) return;
  throw new AgentError(
    'BrowserAgent.BrowserUnavailable',
    'A browser window was asked for, but there is no display (DISPLAY is not set). Run headless, or start the agent under a display: xvfb-run local-browser-agent …',
  );
}

/** Chromium names the lock of the profile after it, which is not what is wrong. */
const NO_TEMPORARY_FILES = /failed to create socket directory/i;

/** What Chromium says on its way out, and what a person can do about it. */
const LAUNCH_ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /error while loading shared libraries/i,
    'System libraries are missing. Run: npx playwright install-deps chromium',
  ],
  [
    /no usable sandbox|setuid sandbox|failed to move to new namespace/i,
    'The kernel does not allow the browser its sandbox. Install Chrome or Chromium from its package, or, in a container that is itself the sandbox, set browser.args to ["--no-sandbox"].',
  ],
  [
    /missing x server|\$DISPLAY|cannot open display/i,
    'There is no display. Run headless, or under xvfb-run.',
  ],
  [
    /ENOENT|EACCES|not found at/i,
    'The program is not there or may not be started. Check browser.executable_path.',
  ],
  [/no space left|ENOSPC/i, 'The disk is full.'],
  [
    NO_TEMPORARY_FILES,
    'The folder for temporary files may not be written to: check the rights of TMPDIR or /tmp.',
  ],
];

/** Lines of the browser's own output that are worth showing. */
const SHOWN_LINES = 6;

function launchError(thrown: unknown, found: FoundBrowser, userDataDir: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const message = messageOf(thrown);
  if (
    !NO_TEMPORARY_FILES.test(message) &&
    /ProcessSingleton|profile appears to be in use|SingletonLock/i.test(message)
  ) {
    return new AgentError(
      'BrowserAgent.ProfileBusy',
      `The profile directory ${userDataDir} is open in another browser. Close that browser's windows, then run again.`,
      { cause: thrown },
    );
  }
  const advice =
    LAUNCH_ADVICE.find(([pattern]) => pattern.test(message))?.[1] ??
    'Run "local-browser-agent doctor" to check the browser.';
  const lines = message.split('\n').filter((line) => !/<launching>|^Call log|^Browser logs|^\s*$/.test(line));
  return new AgentError(
    'BrowserAgent.BrowserUnavailable',
    `${found.name} (${found.executablePath}) could not be started. ${advice} It said: ${lines.slice(0, SHOWN_LINES).join(' | ')}`,
    { cause: thrown },
  );
}
