import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright';
import type { RecordingLevel } from '../base/words.ts';
import type { Redactor } from './redaction.ts';
import { redactTrace, type RedactedTrace } from './trace-redaction.ts';

/** Leaves room for key pictures and HTML within 20 MB at DEBUG. */
const MAX_TRACE_BYTES: Partial<Record<RecordingLevel, number>> = { DEBUG: 14_000_000, TRACE: 30_000_000 };
const DEFAULT_MAX_TRACE_BYTES = 14_000_000;

/**
 * Playwright's trace with DOM snapshots and without screenshots: those would start a second capture of the
 * page. The raw file stays in a folder that is removed, and only its redacted copy becomes an artifact.
 */
export class TraceRecorder {
  readonly #context: BrowserContext;
  readonly #raw: string;

  private constructor(context: BrowserContext, raw: string) {
    this.#context = context;
    this.#raw = raw;
  }

  static async start(
    context: BrowserContext,
    options: { workDir: string; title: string },
  ): Promise<TraceRecorder> {
    await context.tracing.start({
      snapshots: true,
      screenshots: false,
      sources: false,
      title: options.title,
    });
    return new TraceRecorder(context, join(options.workDir, 'trace-raw.zip'));
  }

  /** Stops recording; to be called while the browser is still there. */
  async stop(): Promise<void> {
    await this.#context.tracing.stop({ path: this.#raw });
  }

  async redacted(redactor: Redactor, level: RecordingLevel): Promise<RedactedTrace> {
    try {
      const maxBytes = MAX_TRACE_BYTES[level] ?? DEFAULT_MAX_TRACE_BYTES;
      return redactTrace(await readFile(this.#raw), redactor, { maxBytes });
    } finally {
      await rm(this.#raw, { force: true });
    }
  }
}
