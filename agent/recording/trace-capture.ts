import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright';
import type { RecordingLevel } from '../base/words.ts';
import type { Redactor } from './redaction.ts';
import { redactTrace, type RedactedTrace } from './trace-redaction.ts';

/** Leaves room for network log, key pictures and HTML within 20 MB at DEBUG. */
const MAX_TRACE_BYTES: Partial<Record<RecordingLevel, number>> = { DEBUG: 12_000_000, TRACE: 30_000_000 };
const DEFAULT_MAX_TRACE_BYTES = 12_000_000;

export interface TraceCaptureOptions {
  /** A folder for the raw trace, removed at the end. */
  workDir: string;
  title: string;
  level: RecordingLevel;
  redactor: Redactor;
}

/**
 * Playwright's tracing of a run, with DOM snapshots and network and without screenshots: those would start a
 * second capture of the page. One capture, redacted once, serves every artifact that is made of it; each method
 * does its work at the first call.
 */
export class TraceCapture {
  readonly #options: TraceCaptureOptions;
  readonly #raw: string;
  #context: BrowserContext | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #redacted: Promise<RedactedTrace> | undefined;
  #exists = false;

  constructor(options: TraceCaptureOptions) {
    this.#options = options;
    this.#raw = join(options.workDir, 'trace-raw.zip');
  }

  start(context: BrowserContext): Promise<void> {
    this.#started ??= this.#start(context);
    return this.#started;
  }

  /** Stops tracing, while the browser is still open. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Tracing was started and stopped: there is a trace. */
  get exists(): boolean {
    return this.#exists;
  }

  redacted(): Promise<RedactedTrace> {
    this.#redacted ??= this.#redact();
    return this.#redacted;
  }

  async #start(context: BrowserContext): Promise<void> {
    const { title } = this.#options;
    await context.tracing.start({ snapshots: true, screenshots: false, sources: false, title });
    this.#context = context;
  }

  async #stop(): Promise<void> {
    if (!this.#context) return;
    await this.#context.tracing.stop({ path: this.#raw });
    this.#exists = true;
  }

  async #redact(): Promise<RedactedTrace> {
    const { level, redactor } = this.#options;
    const maxBytes = MAX_TRACE_BYTES[level] ?? DEFAULT_MAX_TRACE_BYTES;
    return redactTrace(await readFile(this.#raw), redactor, { maxBytes });
  }
}
