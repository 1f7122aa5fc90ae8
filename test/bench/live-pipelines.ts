/** What shows a browser to a viewer: the agent itself, and what people put together from Debian's packages. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf, type ApiClient } from '../../agent/client/client.ts';
import { chooseBrowser } from '../../agent/browser/detect.ts';
import { browserEnv, browserFlags } from '../../agent/browser/flags.ts';
import { VIEW, type PageName, type PageServer } from './live-pages.ts';
import { freePort } from '../support/ports.ts';

const PACKAGES: Record<string, string> = {
  Xvfb: 'xvfb',
  x11vnc: 'x11vnc',
  websockify: 'websockify',
  Xvnc: 'tigervnc-standalone-server',
};
/** Debian's user without rights. */
const NOBODY_ID = 65_534;
/** A server that does not listen by then did not start. */
const START_MS = 15_000;
const RETRY_MS = 50;
/** What does not end by then is killed. */
const STOP_MS = 2_000;
/** Of Linux on every machine that this runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

export interface Shown {
  /** What the viewer opens. A ticket is good for one connection, so it is asked for each time. */
  viewerUrl(): Promise<string>;
  /** Roots of the process trees that together show the page. */
  pids: number[];
  close(): Promise<void>;
}

export interface Pipeline {
  name: string;
  needs: string[];
  show(page: PageName, pages: PageServer): Promise<Shown>;
}

/** @returns why a pipeline with these commands cannot run; null when it can */
export function lacking(commands: readonly string[]): string | null {
  const missing = (): string[] =>
    commands.filter((name) => spawnSync('which', [name], { stdio: 'ignore' }).status !== 0);
  const packages = missing().map((name) => PACKAGES[name]!);
  if (packages.length === 0) return null;
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    console.log(`installing ${packages.join(', ')} with apt-get`);
    const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    spawnSync('apt-get', ['update', '-q'], options);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
    if (missing().length === 0) return null;
  }
  return `missing; run: ${isRoot ? '' : 'sudo '}apt-get install ${packages.join(' ')}`;
}

/** A run that stands on the page, in an agent that is there already. */
export function ours(client: ApiClient, address: string, agentPid: number): Pipeline {
  return {
    name: 'ours',
    needs: [],
    show: async (page, pages) => {
      const shown = pages.shown(page);
      const script = {
        name: `Watched ${page}`,
        steps: [{ action: 'navigate', url: `${pages.url}/page/${page}` }, { action: 'human' }],
      };
      const body = { script: script as Record<string, unknown>, level: 'INFO' as const };
      const { run_id } = await answerOf(client.POST('/api/v1/runs', { body }));
      await shown;
      return {
        pids: [agentPid],
        viewerUrl: () => viewerOf(client, address, run_id),
        close: async () => {
          await client.POST('/api/v1/runs/{run_id}/cancel', { params: { path: { run_id } } });
        },
      };
    },
  };
}

export async function viewerOf(client: ApiClient, address: string, runId: string): Promise<string> {
  const params = { path: { run_id: runId } };
  const body = { role: 'viewer' as const };
  const { path } = await answerOf(client.POST('/api/v1/runs/{run_id}/live-tickets', { params, body }));
  return `${address}${path}`;
}

const screen = `${VIEW.width}x${VIEW.height}`;

export const XVFB: Pipeline = {
  name: 'Xvfb + x11vnc',
  needs: ['Xvfb', 'x11vnc', 'websockify'],
  show: (page, pages) =>
    withDisplay(page, pages, async (start) => {
      const display = await start.display('Xvfb', ['-screen', '0', `${screen}x24`, '-nolisten', 'tcp']);
      const port = await freePort();
      const options = ['-localhost', '-nopw', '-forever', '-shared', '-quiet'];
      start.program('x11vnc', ['-display', display, '-rfbport', String(port), ...options]);
      return { display, port };
    }),
};

export const XVNC: Pipeline = {
  name: 'Xvnc',
  needs: ['Xvnc', 'websockify'],
  show: (page, pages) =>
    withDisplay(page, pages, async (start) => {
      const port = await freePort();
      const options = ['-geometry', screen, '-depth', '24', '-SecurityTypes', 'None', '-localhost'];
      return { port, display: await start.display('Xvnc', [...options, '-rfbport', String(port)]) };
    }),
};

interface Starter {
  program(
    command: string,
    args: string[],
    more?: { env?: Record<string, string>; pipe?: true },
  ): ChildProcess;
  /** An X server, which says its display's number itself. */
  display(command: string, args: string[]): Promise<string>;
}

async function withDisplay(
  page: PageName,
  pages: PageServer,
  serve: (start: Starter) => Promise<{ display: string; port: number }>,
): Promise<Shown> {
  const isRoot = process.getuid?.() === 0;
  const home = mkdtempSync(join(tmpdir(), 'lba-bench-x-'));
  // A server without rights cannot make it.
  if (isRoot) mkdirSync('/tmp/.X11-unix', { recursive: true, mode: 0o1777 });
  if (isRoot) chownSync(home, NOBODY_ID, NOBODY_ID);
  const children: ChildProcess[] = [];
  const start: Starter = {
    program: (command, args, { env, pipe } = {}) => {
      const child = spawn(command, args, {
        cwd: home,
        env: { ...browserEnv(process.env), HOME: home, ...env },
        stdio: ['ignore', 'ignore', 'ignore', pipe ? 'pipe' : 'ignore'],
        // A session of its own, as each has on a desktop: Linux shares processor time by session.
        detached: true,
        ...(isRoot ? { uid: NOBODY_ID, gid: NOBODY_ID } : {}),
      });
      children.push(child);
      return child;
    },
    display: async (command, args) => {
      const child = start.program(command, ['-displayfd', '3', ...args], { pipe: true });
      const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${command} ended at once`)));
      ended.catch(() => undefined);
      const [number] = (await Promise.race([once(child.stdio[3]!, 'data'), ended])) as [Buffer];
      return `:${number.toString().trim()}`;
    },
  };
  const close = async (): Promise<void> => {
    for (const child of children.toReversed()) await stop(child);
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const { display, port } = await serve(start);
    const web = await freePort();
    const shown = pages.shown(page);
    const { executablePath } = await chooseBrowser();
    const flags = browserFlags([
      '--kiosk',
      `--window-size=${VIEW.width},${VIEW.height}`,
      '--window-position=0,0',
      `--user-data-dir=${join(home, 'profile')}`,
      '--password-store=basic',
      ...(isRoot ? ['--no-sandbox', '--test-type'] : []),
    ]);
    const address = `--app=${pages.url}/page/${page}`;
    start.program(executablePath, [...flags, address], { env: { DISPLAY: display } });
    start.program('websockify', [`127.0.0.1:${web}`, `127.0.0.1:${port}`]);
    await Promise.race([
      Promise.all([shown, listening(port), listening(web)]),
      late('browser, VNC server or websockify'),
    ]);
    const viewer = `${pages.url}/viewer#ws://127.0.0.1:${web}`;
    return { pids: children.map(({ pid }) => pid!), viewerUrl: async () => viewer, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  // Its session has its children too. An X server that is asked takes its socket away.
  process.kill(-child.pid, 'SIGTERM');
  const force = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(force);
}

async function listening(port: number): Promise<void> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function late(what: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${what} did not start in ${START_MS} ms`)), START_MS).unref();
  });
}

/** Processor time of these processes and all below them, in seconds. */
export function cpuSeconds(roots: readonly number[]): number {
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The command, in brackets, may have spaces in it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
      });
    } catch {
      // It has just ended.
    }
  }
  const isBelow = (pid: number): boolean =>
    roots.includes(pid) || (parents.has(pid) && isBelow(parents.get(pid)!.parent));
  let ticks = 0;
  for (const [pid, one] of parents) if (isBelow(pid)) ticks += one.ticks;
  return ticks / TICKS_PER_SECOND;
}

/** The child of this process that was started with these words. */
export function childWith(words: string): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent === process.pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(words))
        return Number(name);
    } catch {
      // It has just ended.
    }
  }
  throw new Error(`no child of this process was started with ${words}`);
}
