/** What fault runs need of agents that are processes of their own: to start and end one, to read what it logs and keeps. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox } from '../../agent/sandbox/index.ts';
import type { Database } from '../../agent/store/database.ts';

/** An agent that does not poll by then does not start. */
const START_MAX_MS = 60_000;
/** Pino's number for the level error. */
const ERROR_LEVEL = 50;

/** One agent process. */
export interface Life {
  /** Signals it, and resolves with its exit code when it is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
  gone: Promise<unknown>;
}

export interface LogFacts {
  /** When the agent said that a task's lease is lost, by task id; milliseconds since the epoch. */
  fences: Map<string, number>;
  /** Lines of level error and above, by message. */
  errors: Map<string, number>;
}

/** Resolves when the agent is at work. @throws when it ends instead, or takes too long */
export async function startLife(options: {
  /** The command line's main file, in agent/ or in dist/. */
  main: string;
  home: string;
  env: Record<string, string>;
  /** What is said of it when it does not start. */
  name: string;
  onLine: (text: string) => void;
}): Promise<Life> {
  const { main, home, env, name } = options;
  const child = spawn(process.execPath, [main, 'run', '--home', home], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = once(child, 'exit');
  const working = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (text) => {
    options.onLine(text);
    if (text.includes('the agent is at work')) working.resolve();
  });
  const end: Life['end'] = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await gone;
    }
    return child.exitCode;
  };
  const late = new AbortController();
  try {
    await Promise.race([
      working.promise,
      gone.then(() => Promise.reject(new Error(`the agent ended at its start (${name})`))),
      delay(START_MAX_MS, undefined, { signal: late.signal }).then(() =>
        Promise.reject(new Error(`the agent did not start (${name})`)),
      ),
    ]);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  } finally {
    late.abort();
  }
  return { end, gone };
}

/** Takes from one line of an agent's log what a verdict needs. */
export function readLog(text: string, { fences, errors }: LogFacts): void {
  let logged: { level?: number; time?: string; msg?: string; taskId?: string };
  try {
    logged = JSON.parse(text) as typeof logged;
  } catch {
    logged = { level: ERROR_LEVEL, msg: text };
  }
  const { level = 0, time = '', msg = '', taskId } = logged;
  if (level >= ERROR_LEVEL) errors.set(msg, (errors.get(msg) ?? 0) + 1);
  if (taskId !== undefined && msg.startsWith('lease lost')) fences.set(taskId, Date.parse(time));
}

/** What an agent has still to do, in words. */
export function openWorkIn(db: Database): string[] {
  const count = (sql: string): number => (db.prepare(sql).get() as { n: number }).n;
  const waits = {
    tasks: count("SELECT count(*) AS n FROM tasks WHERE state IN ('received', 'running', 'reporting')"),
    reports: count('SELECT count(*) AS n FROM outbox'),
    runs: count("SELECT count(*) AS n FROM runs WHERE state IN ('queued', 'waiting', 'running')"),
    uploads: count("SELECT count(*) AS n FROM uploads WHERE state = 'pending'"),
  };
  return Object.entries(waits).flatMap(([what, n]) => (n > 0 ? [`${n} ${what} are open`] : []));
}

/** Reads objects of a bucket as S3 has them; null for one that is not there. */
export function objectsOf(sandbox: Sandbox, bucket: string): (key: string) => Promise<Buffer | null> {
  const credential = `Credential=checker/20260101/${sandbox.region}/s3/aws4_request`;
  return async (key) => {
    const answer = await fetch(`${sandbox.url}/${bucket}/${key}`, {
      headers: { authorization: `AWS4-HMAC-SHA256 ${credential}` },
    });
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : null;
  };
}
