import type { Logger } from '../base/log.ts';

/** Masks on their way: first into documents, then into what is drawn. */
export class MaskProgress {
  readonly #log: Logger;
  readonly #crashed: Promise<never>;
  readonly #applying = new Set<Promise<unknown>>();
  readonly #drawing = new Set<Promise<unknown>>();
  #settledAtMs = 0;
  #closed = false;

  /** `crashed` ends all waits: a page that is gone applies nothing. */
  constructor(options: { log: Logger; crashed: Promise<never> }) {
    this.#log = options.log;
    this.#crashed = options.crashed;
  }

  /** Whether a frame that is drawn now may still show what is to be hidden. */
  get settling(): boolean {
    return this.#applying.size + this.#drawing.size > 0;
  }

  /** When masks were last drawn, in milliseconds since the epoch; older frames may lack them. */
  get settledAtMs(): number {
    return this.#settledAtMs;
  }

  /** Follows masks until documents have them. Never rejects. */
  applying(work: Promise<unknown>): Promise<void> {
    return this.#track(this.#applying, work);
  }

  /** Follows masks until they are drawn. Never rejects. */
  drawing(work: Promise<unknown>): Promise<void> {
    return this.#track(
      this.#drawing,
      work.finally(() => {
        this.#settledAtMs = Date.now();
      }),
    );
  }

  /** Resolves when documents hide everything asked for so far. */
  async applied(): Promise<void> {
    while (this.#applying.size > 0) await Promise.allSettled(this.#applying);
  }

  /** Resolves when also frames that come by themselves have the masks. */
  async settled(): Promise<void> {
    while (this.settling) await Promise.allSettled([...this.#applying, ...this.#drawing]);
  }

  /** From now on a failure is expected. */
  close(): void {
    this.#closed = true;
  }

  async #track(pending: Set<Promise<unknown>>, work: Promise<unknown>): Promise<void> {
    const quiet = this.#quietly(work);
    pending.add(quiet);
    await quiet;
    pending.delete(quiet);
  }

  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await Promise.race([work, this.#crashed]);
    } catch (thrown) {
      if (!this.#closed) this.#log.debug({ err: thrown }, 'masks could not be updated');
    }
  }
}
