/** The life cycle that every kind of evidence has. recorder.ts says what runs when. */
import type { BrowserContext, Page } from 'playwright';
import type { JsonObject, RecordingLevel } from '../base/words.ts';
import type { ArtifactKind } from './artifact-kinds.ts';
import type { CaptureQueue } from './capture-queue.ts';
import type { EvidenceFiles } from './evidence-files.ts';
import type { PageProbe } from './page-probe.ts';
import type { ProblemRing } from './problem-ring.ts';
import type { Redactor } from './redaction.ts';
import type { Frame, Subscriber } from './screencast.ts';
import type { ProcessRegistry, RecordedOutcome, RecordedStep } from './types.ts';

/**
 * Records one kind of evidence. A source that none of the run's levels wants is never called. What a method
 * throws becomes a problem of the recording (`no {name}: …`); the run and the other sources continue.
 */
export interface CaptureSource {
  /** A noun for problems, e.g. `trace`. */
  readonly name: string;
  /** Rows of artifact-kinds.ts. The source runs if a level wants one of them; it asks for each itself. */
  readonly kinds: readonly ArtifactKind[];
  /**
   * What the source reads, which decides when it stops: `browser` sources stop while the last pictures are
   * taken, `page` sources take those pictures, `frames` sources stop after the last frame.
   */
  readonly reads: 'browser' | 'page' | 'frames';
  /** Before the first step, while the masks are installed. */
  start?(context: BrowserContext): Promise<void> | void;
  /** Receives frames from start to stop, after the masks are installed; null: none this time. */
  frames?(): Subscriber | null;
  /** After each step. Return at once: {@link CaptureTools.captures} takes pictures in the background. */
  step?(moment: StepMoment): Promise<void> | void;
  /** Once, when the run fails. The page may be gone. */
  failure?(moment: FailureMoment): Promise<void> | void;
  /** Once, at the end. The browser may close when all `browser` and `page` sources have stopped. */
  stop?(end: RunEnd): Promise<void> | void;
  /** Queues files that need nothing from the browser. Called after stop and after the browser is free. */
  artifacts?(end: RunEnd): void;
}

/** A step that has just ended. */
export interface StepMoment {
  step: RecordedStep;
  result: JsonObject & { success: boolean };
  page: Page;
  /** The step led to another address. */
  navigated: boolean;
  /** The script took a screenshot in this step. */
  pictured: boolean;
}

/** The moment at which the run failed. */
export interface FailureMoment {
  error: { name: string; message: string };
  page: Page | null;
  /** The step in progress. */
  step: RecordedStep | undefined;
  /** The address of the page in use, as last seen. */
  url: string;
  /** Milliseconds since the epoch. */
  wallTimeMs: number;
}

export interface RunEnd {
  outcome: RecordedOutcome;
  /** The run succeeded, and nothing failed on the way. */
  succeeded: boolean;
  page: Page | null;
}

/** What a source works with. */
export interface CaptureTools {
  /** The level that decides what is uploaded. */
  readonly level: RecordingLevel;
  readonly title: string;
  /** A folder for raw data, removed at the end. */
  readonly workDir: string;
  /** null: no ffmpeg on this machine. */
  readonly ffmpeg: string | null;
  readonly processes?: ProcessRegistry;
  readonly redactor: Redactor;
  /** Writes redacted files. */
  readonly files: EvidenceFiles;
  /** Takes pictures and HTML of the present moment, one at a time. */
  readonly captures: CaptureQueue;
  /** The last errors of the pages. */
  readonly errors: ProblemRing;
  /** Whether a level wants this kind, assuming that the run fails. */
  readonly wanted: (kind: ArtifactKind) => boolean;
  /** The way into a page; null: the page is gone. */
  readonly probe: (page: Page | null) => Promise<PageProbe | null>;
  /** The newest frame of the page in use. */
  readonly lastFrame: () => Frame | undefined;
  /** Adds something that could not be recorded, with its reason, to result and manifest. */
  readonly problem: (text: string) => void;
}

/** Why videos are missing on a machine without ffmpeg. */
export const NO_FFMPEG = 'no ffmpeg was found on this machine (see doctor)';
