/** The log as server-sent events, as it is written. Who reads too slowly misses lines and is told how many. */
import { Readable } from 'node:stream';
import { parseLogLine, type LogLine } from '../base/log-line.ts';
import { matches, type LogFilter } from '../base/log-reader.ts';

/** Made ahead of what the socket takes, in bytes. */
const AHEAD_BYTES = 65_536;
/** When a client loses the connection it comes back after this, in milliseconds. */
const RETRY_MS = 2_000;
/** A comment this often shows that the stream lives, in milliseconds. */
export const BEAT_MS = 15_000;

export class LogStream extends Readable {
  readonly #filter: LogFilter;
  readonly #show: (line: LogLine) => object;
  #takes = true;
  #lost = 0;

  constructor(filter: LogFilter, show: (line: LogLine) => object) {
    super({ highWaterMark: AHEAD_BYTES });
    this.#filter = filter;
    this.#show = show;
    this.push(`retry: ${RETRY_MS}\n\n`);
  }

  override _read(): void {
    this.#takes = true;
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#takes = this.push(`event: lost\ndata: ${JSON.stringify({ lines: lost })}\n\n`);
  }

  line(text: string): void {
    if (this.destroyed) return;
    const line = parseLogLine(text);
    if (!line || !matches(line, text, this.#filter)) return;
    if (!this.#takes) {
      this.#lost += 1;
      return;
    }
    this.#takes = this.push(`event: line\ndata: ${JSON.stringify(this.#show(line))}\n\n`);
  }

  beat(): void {
    if (this.#takes && !this.destroyed) this.#takes = this.push(': beat\n\n');
  }
}
