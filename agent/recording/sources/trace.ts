import type { BrowserContext } from 'playwright';
import type { CaptureSource, CaptureTools } from '../capture-source.ts';
import type { TraceCapture } from '../trace-capture.ts';

/** Playwright's trace, redacted: the raw file never becomes an artifact. */
export class Trace implements CaptureSource {
  readonly name = 'trace';
  readonly kinds = ['trace'] as const;
  readonly reads = 'browser';
  readonly #tools: CaptureTools;
  readonly #capture: TraceCapture;

  constructor(tools: CaptureTools, capture: TraceCapture) {
    this.#tools = tools;
    this.#capture = capture;
  }

  start(context: BrowserContext): Promise<void> {
    return this.#capture.start(context);
  }

  stop(): Promise<void> {
    return this.#capture.stop();
  }

  artifacts(): void {
    if (!this.#capture.exists) return;
    const { files, problem } = this.#tools;
    files.write('trace', 'trace.zip', undefined, async () => {
      const { zip, masked, droppedFiles } = await this.#capture.redacted();
      if (droppedFiles > 0) problem(`the trace lacks ${droppedFiles} large resources of its pages`);
      return { data: Buffer.from(zip), masked };
    });
  }
}
