/**
 * Quitting drains: runs at hand come to their end, within the deadline of the settings. A small window says
 * so and offers to quit now. None of this happens when the system logs off or the process is killed: what is
 * left then is taken up at the next start.
 */
import { BrowserWindow, type Event } from 'electron';
import type { AgentProcess } from './agent-process.ts';
import { SCHEME } from './channels.ts';
import type { ShellLog } from './log.ts';

/** An agent at rest is gone before anybody wonders. */
const SHOW_AFTER_MS = 400;
const PAGE = `${SCHEME}://quit/`;
/** Where the link of the page leads: taken for the click that it is. */
const NOW = `${PAGE}now`;

export class Quit {
  readonly #agent: AgentProcess;
  readonly #log: ShellLog;
  #phase: 'no' | 'draining' | 'done' = 'no';
  #until = 0;

  constructor(options: { agent: AgentProcess; log: ShellLog }) {
    this.#agent = options.agent;
    this.#log = options.log;
  }

  /** Once it began, closing the window closes it. */
  get hasBegun(): boolean {
    return this.#phase !== 'no';
  }

  /** Of Electron's `before-quit`: holds the quitting back until the agent has ended, then lets it go on. */
  onBeforeQuit(event: Event, finish: () => void): void {
    if (this.#phase === 'done') return;
    event.preventDefault();
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    this.#drain().then(
      () => this.#end(finish),
      (thrown: unknown) => {
        this.#log.error({ err: thrown }, 'ending the agent failed');
        this.#end(finish);
      },
    );
  }

  /** What the window shows: no script is needed for it. */
  page(): string {
    const runs = this.#agent.snapshot?.runs ?? [];
    const [run] = runs;
    const what =
      runs.length === 0
        ? 'Waiting for the answer of AWS to the question for work that is still open, so that no task gets lost. This takes up to a minute.'
        : runs.length === 1
          ? `The run ${escaped(run?.scriptName ?? '')} is being finished.`
          : `${runs.length} runs are being finished.`;
    const at = new Date(this.#until).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const leftS = Math.max(1, Math.round((this.#until - Date.now()) / 1_000));
    return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Quitting</title><style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 0; padding: 20px 24px }
h1 { font-size: 17px; margin: 0 0 8px }
p { margin: 0 0 12px }
.bar { height: 6px; border-radius: 3px; background: #8884; overflow: hidden; margin-bottom: 16px }
.bar div { height: 100%; background: #228be6; animation: grow ${leftS}s linear both }
@keyframes grow { from { width: 0 } to { width: 100% } }
@media (prefers-reduced-motion: reduce) { .bar div { animation-timing-function: steps(10) } }
a { display: inline-block; padding: 6px 14px; border: 1px solid #8888; border-radius: 6px; color: inherit; text-decoration: none }
</style></head><body><main><h1>Finishing before it quits</h1>
<p role="status">${what} At ${at} at the latest, what is left is cancelled.</p>
<div class="bar" aria-hidden="true"><div></div></div>
<a href="${NOW}" role="button">Quit now</a></main></body></html>`;
  }

  async #drain(): Promise<void> {
    this.#until = Date.now() + (this.#agent.snapshot?.drainMs ?? 0);
    const stopped = this.#agent.stop({ deadlineMs: null });
    let window: BrowserWindow | null = null;
    const timer = setTimeout(() => {
      window = this.#show();
    }, SHOW_AFTER_MS);
    try {
      await stopped;
    } finally {
      clearTimeout(timer);
      (window as BrowserWindow | null)?.destroy();
    }
  }

  #show(): BrowserWindow {
    const window = new BrowserWindow({
      width: 460,
      height: 240,
      useContentSize: true,
      resizable: false,
      minimizable: false,
      maximizable: false,
      autoHideMenuBar: true,
      title: 'Quitting',
      webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false, javascript: false },
    });
    window.webContents.on('will-navigate', (_event, url) => {
      if (url !== NOW) return;
      this.#log.info({}, 'quitting now');
      this.#agent.stop({ deadlineMs: 0 }).catch((thrown: unknown) => {
        this.#log.warn({ err: thrown }, 'the agent could not be stopped');
      });
    });
    window.loadURL(PAGE).catch((thrown: unknown) => {
      this.#log.warn({ err: thrown }, 'what quitting waits for could not be shown');
    });
    return window;
  }

  #end(finish: () => void): void {
    this.#phase = 'done';
    finish();
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
