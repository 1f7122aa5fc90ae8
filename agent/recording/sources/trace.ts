import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright';
import type { RecordingLevel } from '../../base/words.ts';
import type { CaptureSource, CaptureTools } from '../capture-source.ts';
import { redactTrace } from '../trace-redaction.ts';

/** Leaves room for key pictures and HTML within 20 MB at DEBUG. */
const MAX_TRACE_BYTES: Partial<Record<RecordingLevel, number>> = { DEBUG: 14_000_000, TRACE: 30_000_000 };
const DEFAULT_MAX_TRACE_BYTES = 14_000_000;

/**
 * Playwright's trace with DOM snapshots and without screenshots: those would start a second capture of the
 * page. The raw file stays in a folder that is removed, and only its redacted copy becomes an artifact.
 */
export class Trace implements CaptureSource {
  readonly name = 'trace';
  readonly kinds = ['trace'] as const;
  readonly reads = 'browser';
  readonly #tools: CaptureTools;
  readonly #raw: string;
  #context: BrowserContext | undefined;
  #isComplete = false;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
    this.#raw = join(tools.workDir, 'trace-raw.zip');
  }

  async start(context: BrowserContext): Promise<void> {
    const { title } = this.#tools;
    await context.tracing.start({ snapshots: true, screenshots: false, sources: false, title });
    this.#context = context;
  }

  async stop(): Promise<void> {
    if (!this.#context) return;
    await this.#context.tracing.stop({ path: this.#raw });
    this.#isComplete = true;
  }

  artifacts(): void {
    if (!this.#isComplete) return;
    const { files, redactor, level, problem } = this.#tools;
    const maxBytes = MAX_TRACE_BYTES[level] ?? DEFAULT_MAX_TRACE_BYTES;
    files.write('trace', 'trace.zip', undefined, async () => {
      const { zip, masked, droppedFiles } = redactTrace(await readFile(this.#raw), redactor, { maxBytes });
      if (droppedFiles > 0) problem(`the trace lacks ${droppedFiles} large resources of its pages`);
      return { data: Buffer.from(zip), masked };
    });
  }
}
