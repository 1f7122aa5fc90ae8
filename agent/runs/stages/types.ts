/**
 * The stages of one run. Each stage takes what the stage before it produced, so no stage can use what does not
 * exist yet: there is no recorder without a page, for example.
 *
 * | stage     | what exists                                                  | made by   |
 * |-----------|--------------------------------------------------------------|-----------|
 * | asked     | the request and its settings; nothing is on disk             | engine.ts |
 * | queued    | a script, and a row for the run                              | queue.ts  |
 * | opened    | a browser, and with it the lease of its profile              | open.ts   |
 * | on page   | the page to begin in                                         | open.ts   |
 * | guarded   | the policy, in force in the browser                          | record.ts |
 * | recording | a recorder, and the evidence that it collects; the steps run | record.ts |
 *
 * A run that fails ends with the last stage that it reached. `finish.ts` closes the recording of that stage,
 * `conclude.ts` makes the result from it.
 */
import type { PolicyGuard } from '../../browser/policy.ts';
import type { Logger } from '../../base/log.ts';
import type { JsonObject, ResolvedLevel } from '../../base/words.ts';
import type { Recorder } from '../../recording/recorder.ts';
import type { Redactor } from '../../recording/redaction.ts';
import type { StepResult } from '../../script/interpreter.ts';
import type { Script } from '../../script/schema.ts';
import type { OpenedBrowser } from '../browser-source.ts';
import type { Evidence } from '../evidence.ts';
import type { KeptRequest } from '../kept-request.ts';
import type { PageInUse } from '../page-in-use.ts';
import type { RunSettings } from '../settings.ts';
import type { RunRequest } from '../types.ts';

interface AskedFacts {
  readonly request: RunRequest;
  readonly settings: RunSettings;
  readonly redactor: Redactor;
  readonly log: Logger;
  /** By the monotonic clock. */
  readonly startedMs: number;
  /** While the stage is `asked`: without what the script says of it. */
  readonly level: ResolvedLevel;
}

interface QueuedFacts extends AskedFacts {
  readonly script: Script;
  /** As the request gave them. */
  readonly variables: JsonObject;
  /** The request as the row keeps it. */
  readonly keptRequest: KeptRequest;
}

interface OpenedFacts extends QueuedFacts {
  readonly browser: OpenedBrowser;
}

interface OnPageFacts extends OpenedFacts {
  readonly page: PageInUse;
}

interface GuardedFacts extends OnPageFacts {
  readonly policy: PolicyGuard;
  /** Null: anywhere. */
  readonly allowedDomains: string[] | null;
}

interface RecordingFacts extends GuardedFacts {
  readonly recorder: Recorder;
  readonly evidence: Evidence;
  /** Filled as steps finish: what is known survives whatever ends the run. */
  readonly steps: StepResult[];
}

export type Asked = AskedFacts & { readonly stage: 'asked' };
export type Queued = QueuedFacts & { readonly stage: 'queued' };
export type Opened = OpenedFacts & { readonly stage: 'opened' };
export type OnPage = OnPageFacts & { readonly stage: 'on page' };
export type Guarded = GuardedFacts & { readonly stage: 'guarded' };
export type Recording = RecordingFacts & { readonly stage: 'recording' };

/** The last stage that a run reached. */
export type Reached = Asked | Queued | Opened | OnPage | Guarded | Recording;
