/**
 * The agent's process, as the main process sees it: started, started again when it ends by itself, told what
 * the machine does, and ended. What it is comes out as the connection that the page gets.
 *
 * - `starting` → `ready` when its API is open
 * - `ready`, `starting` → `restarting` when it ends by itself, → `starting` after a pause; → `failed` after too
 *   many ends, or when it ended because it was asked to
 * - any → `draining` when it is to end; final, but for {@link AgentProcess.restart}
 */
import type { AgentSnapshot, ToShell } from '../agent/base/shell-messages.ts';
import { messageOf } from '../agent/base/errors.ts';
import type { AgentConnection } from '../renderer/src/bridge.ts';
import type { AgentChild, ChildEvents } from './agent-child.ts';
import type { ChildEnd } from './child-end.ts';
import type { ShellLog } from './log.ts';
import { decideRestart } from './restart-policy.ts';
import type { KeptVault } from './vault.ts';

/** As `worker.drain_deadline_seconds` is when nobody set it: for an agent that has not told yet. */
const DRAIN_MS = 600_000;
/** Beyond the deadline of a stop: cancelled runs close their browsers and uploads their connections. */
const STOP_GRACE_MS = 20_000;
/** The last lines that a process wrote tell why it ended. */
const KEPT_LINES = 20;
/** No sentence for people is longer. */
const MAX_PROBLEM_CHARS = 400;

type Ready = Extract<ToShell, { type: 'ready' }>;

export interface AgentProcessOptions {
  launch: (events: ChildEvents) => AgentChild;
  home: string;
  /** Of the window. */
  origin: string;
  vault: KeptVault;
  log: ShellLog;
  onChange: (connection: AgentConnection) => void;
  onSnapshot: (snapshot: AgentSnapshot | null) => void;
}

export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #child: AgentChild | null = null;
  #connection: AgentConnection = { state: 'starting' };
  #ready: Ready | null = null;
  #snapshot: AgentSnapshot | null = null;
  #ended: Extract<ToShell, { type: 'ended' }> | null = null;
  #ends: number[] = [];
  #lines: string[] = [];
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;
  #exited = Promise.resolve();

  constructor(options: AgentProcessOptions) {
    this.#options = options;
  }

  get connection(): AgentConnection {
    return this.#connection;
  }

  /** What it said last; null while it is not ready. */
  get snapshot(): AgentSnapshot | null {
    return this.#snapshot;
  }

  /** Where its API is or was last; null: never yet. */
  get ready(): Ready | null {
    return this.#ready;
  }

  /** In every line about it. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#child) return;
    const { launch, vault, home, origin } = this.#options;
    clearTimeout(this.#timer);
    this.#isStopping = false;
    this.#ended = null;
    this.#lines = [];
    this.#set({ state: 'starting' });
    let isOver: () => void = () => undefined;
    this.#exited = new Promise((resolve) => {
      isOver = resolve;
    });
    const child = launch({
      onMessage: (message) => this.#heed(child, message),
      onLine: (line) => this.#keep(line),
      onExit: (end) => {
        if (this.#child === child) this.#gone(end);
        isOver();
      },
    });
    this.#child = child;
    const { isProtected, protection } = vault;
    child.send({ type: 'start', home, origin, vault: isProtected ? { protection } : null });
  }

  /** By hand: also after it failed for good. Runs at hand are interrupted. */
  async restart(): Promise<void> {
    this.#ends = [];
    await this.stop({ deadlineMs: 0 });
    this.start();
  }

  suspend(): void {
    this.#child?.send({ type: 'suspend' });
  }

  resume(): void {
    this.#child?.send({ type: 'resume' });
  }

  /**
   * Drains until the deadline (null: as the setting says), then cancels; killed when it has not ended some
   * seconds later. May be called again with a nearer deadline. Resolves when the process is gone.
   */
  async stop({ deadlineMs }: { deadlineMs: number | null }): Promise<void> {
    clearTimeout(this.#timer);
    this.#isStopping = true;
    const child = this.#child;
    if (!child) return;
    const waitMs = deadlineMs ?? this.#snapshot?.drainMs ?? DRAIN_MS;
    this.#set({ state: 'draining' });
    child.send({ type: 'stop', deadlineMs });
    this.#timer = setTimeout(() => {
      this.#options.log.error({ agentPid: child.pid, waitMs }, 'the agent did not end in time: it is killed');
      child.kill();
    }, waitMs + STOP_GRACE_MS);
    await this.#exited;
  }

  #heed(child: AgentChild, message: ToShell): void {
    const { vault, log } = this.#options;
    switch (message.type) {
      case 'ready': {
        this.#ready = message;
        log.info({ agentPid: child.pid, url: message.url }, 'the agent is ready');
        const { url, token } = message;
        if (!this.#isStopping) this.#set({ state: 'ready', url, token });
        return;
      }
      case 'restarting':
        // Within its process: the page's own connection finds it again, at the same address.
        log.info({ agentPid: child.pid }, 'the agent starts anew with other settings');
        return;
      case 'snapshot':
        this.#snapshot = message.snapshot;
        this.#options.onSnapshot(message.snapshot);
        return;
      case 'vault.ask':
        vault.answer(message).then(
          (value) => child.send({ type: 'vault.answer', id: message.id, value, problem: null }),
          (thrown: unknown) =>
            child.send({ type: 'vault.answer', id: message.id, value: null, problem: messageOf(thrown) }),
        );
        return;
      case 'variable.ask': {
        const { id, name } = message;
        log.info({ agentPid: child.pid, name }, 'a script reads a variable of the environment');
        child.send({ type: 'variable.answer', id, value: process.env[name] ?? null });
        return;
      }
      case 'ended':
        this.#ended = message;
        return;
      default:
        message satisfies never;
    }
  }

  #gone(end: ChildEnd): void {
    const { log, onSnapshot } = this.#options;
    const { kind, facts } = end;
    log.info({ agentPid: this.#child?.pid, end: kind, ...facts, said: this.#ended }, 'the agent has ended');
    clearTimeout(this.#timer);
    this.#child = null;
    this.#snapshot = null;
    if (!this.#isStopping) this.#endedByItself(end);
    onSnapshot(null);
  }

  #endedByItself({ kind, words, facts }: ChildEnd): void {
    const { log } = this.#options;
    if (this.#ended && this.#ended.reason !== 'failed') {
      const problem =
        'The agent finished its work and ended, as it was asked to. It takes no tasks until it is started again.';
      this.#set({ state: 'failed', problem });
      return;
    }
    this.#ends.push(performance.now());
    // What it wrote explains an exit of its own; nothing that it wrote explains a crash.
    const said = kind === 'exited' ? (this.#ended?.problem ?? this.#lastError()) : null;
    const problem = cut(said === null ? words : `The agent ended: ${said}`);
    const decision = decideRestart(this.#ends);
    if (!decision.restart) {
      log.error({ end: kind, ...facts, problem }, 'the agent ended too often; it is not started again');
      this.#set({
        state: 'failed',
        problem: `${problem} It ended too often to be started again by itself. Save the diagnostics or look at the log, then start it again.`,
      });
      return;
    }
    log.warn({ end: kind, ...facts, problem, ...decision }, 'the agent is started again');
    this.#set({ state: 'restarting', problem });
    this.#timer = setTimeout(() => this.start(), decision.pauseMs);
  }

  #keep(line: string): void {
    this.#lines = [...this.#lines, line].slice(-KEPT_LINES);
    // The agent has a log file of its own; this is for who started the app in a terminal.
    process.stderr.write(`${line}\n`);
  }

  /** What Node says of an error that nobody caught. */
  #lastError(): string | null {
    const line = this.#lines.findLast((each) => /^\w*Error\b.*: /.test(each));
    return line ?? null;
  }

  #set(connection: AgentConnection): void {
    this.#connection = connection;
    this.#options.onChange(connection);
  }
}

function cut(text: string): string {
  return text.length > MAX_PROBLEM_CHARS ? `${text.slice(0, MAX_PROBLEM_CHARS)}…` : text;
}
