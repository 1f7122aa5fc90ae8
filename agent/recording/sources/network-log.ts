import type { RecordingLevel } from '../../base/words.ts';
import { buildHar } from '../har.ts';
import { TraceSource } from './trace-source.ts';

/** A chatty page makes some 2,000 requests of 1 kB in five minutes; bodies share what is left. */
const MAX_HAR_BYTES: Partial<Record<RecordingLevel, number>> = { TRACE: 4_000_000 };
const DEFAULT_MAX_HAR_BYTES = 2_000_000;

/** The requests of the run as a HAR, made of the trace: docs/decisions/009-har-from-the-trace.md. */
export class NetworkLog extends TraceSource {
  readonly name = 'network log';
  readonly kinds = ['har'] as const;

  protected write(): void {
    const { files, level, problem } = this.tools;
    files.write('har', 'network.har', undefined, async () => {
      const maxBytes = MAX_HAR_BYTES[level] ?? DEFAULT_MAX_HAR_BYTES;
      const { text, masked, droppedRequests } = buildHar(await this.capture.redacted(), { maxBytes });
      if (droppedRequests > 0) problem(`the network log lacks its ${droppedRequests} oldest requests`);
      return { data: Buffer.from(text), masked };
    });
  }
}
