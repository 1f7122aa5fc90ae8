import type { RecordingLevel } from '../base/words.ts';

/** What a run needs of the configuration; read at the start of each run. */
export interface RunSettings {
  recording: {
    /** `RECORDING_LEVEL_OVERRIDE`. */
    override: RecordingLevel | null;
    levelByAgent: Record<string, RecordingLevel>;
    levelByEnv: Record<string, RecordingLevel>;
    defaultLevel: RecordingLevel | null;
    maxLevel: RecordingLevel | null;
    keepLevel: RecordingLevel;
    waitForUploads: boolean;
    maskSelectors: string[];
  };
  /** Name of this agent, as `worker.name` says. */
  agentName: string;
  /** Name of the environment, e.g. `prod`. */
  env: string | null;
  /** Where evidence goes; without a bucket it stays here, and the result says so. */
  bucket: string | null;
  browser: {
    channel: string | null;
    executablePath: string | null;
    headless: boolean;
    args: string[];
  };
  run: {
    timeoutMs: number;
    stepTimeoutMs: number;
    /** Null: the script's own, or the format's. */
    maxSteps: number | null;
    maxVisits: number | null;
  };
  script: {
    /** Environment variables that scripts may read. */
    allowedEnv: string[];
    /** Where scripts may go, whatever they say; null: anywhere. */
    allowedDomains: string[] | null;
  };
}
