/**
 * The agent at work, again and again in one process: `POST /agent/restart` ends it and opens it anew, with
 * the settings as they are then. Address and owner's key stay, so that windows and programs only connect
 * again. The verb `run` and the desktop's agent process both live here.
 */
import type { WorkerEnd } from './activity/worker.ts';
import { openAgent, type Agent, type OpenOptions } from './agent.ts';
import type { KeptAddress } from './api/start.ts';
import type { Clock } from './base/clock.ts';
import { openLogFile, type LogFile } from './base/log-file.ts';
import { createLogger, type Logger } from './base/log.ts';
import { homePaths } from './base/paths.ts';
import { loadConfig } from './config/load.ts';
import { serve, type ServingAgent } from './serve.ts';

const MB = 1_000_000;

export interface KeepServingOptions extends Omit<OpenOptions, 'log'> {
  /** Default: as the settings say, to standard error and to the log file, made anew with each life. */
  log?: Logger;
  /** Told of what goes wrong with the log file. Default: nobody. */
  onLogProblem?: (words: string) => void;
  /** End after one task. */
  once?: boolean;
  clock?: Clock;
  /** At work: at the start, and after each restart. */
  onReady?: (life: Life) => void;
}

/** The agent from one start to the next. */
export interface Life {
  agent: Agent;
  serving: ServingAgent;
  /** How often it was started anew before. */
  restarts: number;
}

export interface ServeLoop {
  /** The present life; null while it starts. */
  readonly life: Life | null;
  /** Resolves when the agent has ended for good; rejects when it could not be opened. */
  done: Promise<WorkerEnd>;
  /** Drains until the deadline, then cancels; no restart follows. May be called again with a nearer deadline. */
  stop(options: { deadlineMs: number }): Promise<void>;
}

export function keepServing(options: KeepServingOptions): ServeLoop {
  let life: Life | null = null;
  let stopping: { deadlineMs: number } | null = null;
  let address: KeptAddress | undefined;

  /** @returns how it ended; null: it is to start anew */
  const live = async (restarts: number): Promise<WorkerEnd | null> => {
    const { log, file } = openLog(options);
    try {
      const agent = await openAgent({ ...options, log });
      try {
        let isRestart = false;
        const serving = await serve(agent, {
          once: options.once === true,
          ...(options.clock ? { clock: options.clock } : {}),
          ...(address ? { address } : {}),
          onRestart: () => {
            isRestart = true;
          },
        });
        life = { agent, serving, restarts };
        if (serving.api) address = { token: serving.api.token, port: serving.api.port };
        // Asked for while it started.
        if (stopping) await serving.stop(stopping);
        else options.onReady?.(life);
        const end = await serving.done;
        log.info(end, isRestart ? 'the agent restarts' : 'the agent has ended');
        return isRestart && !stopping && end.reason !== 'failed' ? null : end;
      } finally {
        life = null;
        await agent.close();
      }
    } finally {
      await file?.close();
    }
  };

  const liveOn = async (): Promise<WorkerEnd> => {
    for (let restarts = 0; ; restarts += 1) {
      const end = await live(restarts);
      if (end) return end;
    }
  };

  return {
    get life() {
      return life;
    },
    done: liveOn(),
    stop: async (how) => {
      stopping = how;
      await life?.serving.stop(how);
    },
  };
}

function openLog({ home, env, flags, log, onLogProblem }: KeepServingOptions): {
  log: Logger;
  file: LogFile | null;
} {
  if (log) return { log, file: null };
  const { log: wanted } = loadConfig({ home, env, ...(flags ? { flags } : {}) }).settings;
  const file: LogFile | null = wanted.file
    ? openLogFile({
        path: homePaths(home).logFile,
        maxSizeBytes: Math.round(wanted.max_size_mb * MB),
        maxFiles: wanted.max_files,
        onProblem: onLogProblem ?? (() => undefined),
      })
    : null;
  return { log: createLogger({ level: wanted.level, file }), file };
}
