import { TraceSource } from './trace-source.ts';

/** Playwright's trace, redacted: the raw file never becomes an artifact. */
export class Trace extends TraceSource {
  readonly name = 'trace';
  readonly kinds = ['trace'] as const;

  protected write(): void {
    const { files, problem } = this.tools;
    files.write('trace', 'trace.zip', undefined, async () => {
      const { zip, masked, droppedFiles } = await this.capture.redacted();
      if (droppedFiles > 0) problem(`the trace lacks ${droppedFiles} large resources of its pages`);
      return { data: Buffer.from(zip), masked };
    });
  }
}
