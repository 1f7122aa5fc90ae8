import type { BrowserContext, Locator, Page } from 'playwright';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject, RecordingLevel, ResolvedLevel } from '../base/words.ts';
import type { Action } from '../script/schema.ts';
import type { ArtifactKind } from './artifact-kinds.ts';
import type { Redactor } from './redaction.ts';

/** Where finished artifacts go: the store and, for those to upload, the queue. */
export interface ArtifactSink {
  add(artifact: NewArtifact): void;
}

/** One finished file of evidence. It is redacted already: it may leave the machine as it is. */
export interface NewArtifact {
  runId: string;
  kind: ArtifactKind;
  /** Relative to the run, also its S3 key below `browser-sessions/{run id}/`, e.g. `steps/003-search.jpg`. */
  key: string;
  /** The file on disk. */
  path: string;
  contentType: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** By the recording level. */
  upload: boolean;
  /** By the keep level: stays on this machine after the upload. */
  keep: boolean;
  /** How many fields and values were hidden in it. */
  masked: number;
  stepNumber?: number;
}

/** What of a step the recorder needs to know. */
export interface RecordedStep {
  /** 1-based, in order of execution. */
  stepNumber: number;
  name: string;
  action: Action;
  /** The script says `"key": true`. */
  key: boolean;
  sensitive: boolean;
}

/** Keeps child processes on record, so that none outlives the agent. */
export interface ProcessRegistry {
  add(pid: number, kind: 'ffmpeg'): void;
  remove(pid: number): void;
}

/** Facts of the run for its manifest; all of them may be public. */
export interface RunFacts {
  scriptName: string;
  taskId?: string;
  agent?: string;
  environment?: string;
  profile?: string | null;
  /** `kind`: chrome, msedge, chromium …; `version` as the browser says it. */
  browser?: { kind: string; version: string; headless: boolean };
  /** Anything else worth knowing when the run is looked at later. */
  more?: JsonObject;
}

export interface RecorderOptions {
  runId: string;
  /** The run's own folder; made when missing. Artifacts are below it by their key. */
  runDir: string;
  /** Decides what is uploaded. */
  level: ResolvedLevel;
  /** Decides what stays on this machine. Never loosens what is uploaded. */
  keepLevel: RecordingLevel;
  redactor: Redactor;
  sink: ArtifactSink;
  /** Of {@link findFfmpeg}; null: the run has no video, and its manifest says so. */
  ffmpeg: string | null;
  clock: Clock;
  log: Logger;
  processes?: ProcessRegistry;
  /** The pages stay open after the run. Default: they are closed with it. */
  keepsPages?: boolean;
  facts: RunFacts;
}

export interface ScreenshotRequest {
  page: Page;
  /** Only this element. */
  locator?: Locator;
  /** The whole page, not only what is in view. Default true; ignored with a locator. */
  fullPage?: boolean;
  /** Becomes part of the file's name. Default: the step's name. */
  name?: string;
  /** The script's `upload_to_s3`; true is not enough where the level says no. Default true. */
  upload?: boolean;
  /** Also hand the picture back as bytes, for `include_in_result`. */
  includeData?: boolean;
  timeoutMs?: number;
}

export interface ScreenshotTaken {
  /** The file on disk; null when neither level wants the picture (it may then only be in `data`). */
  path: string | null;
  key: string;
  contentType: 'image/jpeg' | 'image/png';
  sizeBytes: number;
  /** Will it be uploaded? If not, `reason` says why in words a person understands. */
  uploaded: boolean;
  reason?: string;
  data?: Buffer;
}

export interface AddFileRequest {
  path: string;
  /** File name to show and to use in the key. */
  name: string;
  contentType: string;
  kind: 'download';
}

/** How the run ended, for the manifest. */
export interface RecordedOutcome {
  state: 'succeeded' | 'failed' | 'cancelled' | 'lost';
  error?: { name: string; message: string };
  /** What the script extracted (`data` of the result). */
  data?: JsonObject;
}

/** What the recorder has to say about itself in the run's result. */
export interface RecordingSummary {
  /** Artifacts to upload, the manifest included. */
  files: number;
  bytes: number;
  /** Artifacts kept on this machine, uploaded or not. */
  keptFiles: number;
  keptBytes: number;
  masked: number;
  manifest?: NewArtifact;
  /** Things that could not be recorded, each with its reason, e.g. `no video: no ffmpeg on this machine`. */
  problems: string[];
}

/** The recorder as actions, interpreter and run engine see it. */
export interface RunRecorder {
  /** Once, before the first step. Installs the masks before anything is captured. */
  attach(context: BrowserContext, page: Page): Promise<void>;
  /** The run goes on in another page. */
  pageChanged(page: Page): Promise<void>;
  /** Before each step. */
  stepStarted(step: RecordedStep): void;
  /**
   * To be awaited right before a step acts on the page: the picture of the one before may still be in the
   * making. A step that only looks or waits is let through at once.
   */
  beforeActing(): Promise<void>;
  /**
   * After each step, also a failed one. Returns while its picture is still being taken, so that journalling,
   * delays and steps that only look go on meanwhile.
   */
  stepFinished(step: RecordedStep, result: JsonObject & { success: boolean }, page: Page): Promise<void>;
  /** An explicit `screenshot` step. */
  screenshot(request: ScreenshotRequest): Promise<ScreenshotTaken>;
  /** A file the run made, e.g. a download: an artifact by the same rules as extracted data. */
  addFile(request: AddFileRequest): Promise<NewArtifact | null>;
  /** From now on this value is left out of everything. To be called before it is used. */
  maskValue(value: string): void;
  /**
   * Hides this field in everything that is recorded from now on. Waits until it is there, and rejects as
   * any use of the locator does: a field that could not be hidden must not be filled.
   */
  markSensitive(locator: Locator, options?: { timeoutMs?: number }): Promise<void>;
  /**
   * The attribute that hides an element as {@link markSensitive} does, for who looks at the element anyway
   * and can set it then; `masked` is to be awaited afterwards. Null: nothing is recorded.
   */
  readonly mark: string | null;
  /** Resolves when pages hide everything that was asked for so far. */
  masked(): Promise<void>;
  /** The run is failing: keeps the evidence of this moment. `page` may be gone already. */
  failure(error: { name: string; message: string }, page: Page | null): Promise<void>;
  /**
   * Finishes files and writes the manifest; to be called before the browser is closed.
   *
   * @param onReleased called, at a level that records, when the browser may be closed: files are finished meanwhile
   */
  finish(outcome: RecordedOutcome, page: Page | null, onReleased?: () => void): Promise<RecordingSummary>;
}
