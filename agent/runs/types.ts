import type { Actor } from '../base/actor.ts';
import type { JsonObject, ResolvedLevel } from '../base/words.ts';
import type { KeptBrowser } from './kept-browser.ts';
import type { PauseGate } from './pause-gate.ts';

/** What to run, and how. A task makes one of these; so do `exec` and the API. */
export interface RunRequest {
  runId: string;
  taskId?: string;
  input: RunInput;
  /** Who asks, for the audit log. Absent: the task, else whoever opened the agent. */
  by?: Actor;
  /** The level that was asked for with the task or on the command line, and where exactly. */
  level?: ResolvedLevel;
  /** Name of the agent or state machine that asks, for `recording.level_by_agent`. */
  agentName?: string;
  overrides?: {
    profile?: string;
    headed?: boolean;
    /** Where the run's files go instead of the data directory. */
    outDir?: string;
  };
}

export type RunInput =
  | { kind: 'script'; script: unknown; variables?: JsonObject }
  | { kind: 'stored'; name: string; version?: string; variables?: JsonObject }
  | { kind: 'prompt'; prompt: string; startingPage?: string; schema?: JsonObject };

/** How a run ended. Never thrown: a run that could not even start is `failed` too. */
export interface RunOutcome {
  runId: string;
  state: 'succeeded' | 'failed' | 'cancelled' | 'lost';
  /** The result as the script format documents it. */
  result: JsonObject;
  error?: RunError;
  /** The script said `"on_failure": "return"`: report success with `success: false` inside. */
  returnOnFailure: boolean;
}

export interface RunError {
  /** One of ERROR_NAMES, or the name that a `fail` step chose. */
  name: string;
  message: string;
  /** `{run_id, step, name, action, message, url, evidence, data}` for SendTaskFailure's cause. */
  cause: JsonObject;
}

export interface RunControl {
  signal: AbortSignal;
  beforeStep?: () => Promise<void>;
  /** Where others make it stand still. */
  gate?: PauseGate;
  /** A browser that is open already, and stays open: the run goes on in its page. */
  kept?: KeptBrowser;
}

export interface RunExecutor {
  /**
   * Runs to the end. `signal` cancels or fences: once it is aborted no further browser action leaves the
   * machine; its reason is an AgentError (`BrowserAgent.Cancelled`), or {@link LeaseLost} for a fence.
   * `beforeStep` is awaited before each step acts: it resolves at once while the lease is known to be held,
   * waits for a heartbeat after the machine slept, and rejects with LeaseLost when the lease is gone.
   */
  execute(request: RunRequest, options: RunControl): Promise<RunOutcome>;
}

/** Abort reason of a run whose lease is gone: the run ends `lost` and nothing is reported. */
export class LeaseLost extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'LeaseLost';
  }
}
