/**
 * Uploads that have arrived in S3, and are noted in the database a little later, together: each note waits for the
 * disk, and a run that goes on beside waits with it. After a crash in between, they are uploaded once more.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { drop } from '../base/drop.ts';
import type { EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import { wait } from '../base/wait.ts';
import type { UploadRow, UploadStore } from '../store/uploads.ts';

/** Uploads that arrive within this time are noted together. */
const NOTE_MS = 200;

export interface ArrivalsOptions {
  store: Pick<UploadStore, 'done'>;
  events: EventBus;
  log: Logger;
  clock: Clock;
  /** Called when uploads were noted. */
  onNoted: () => void;
}

export class Arrivals {
  readonly #options: ArrivalsOptions;
  #waiting: UploadRow[] = [];
  #isPlanned = false;
  readonly #removing = new Set<Promise<void>>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  add(row: UploadRow): void {
    this.#waiting.push(row);
  }

  noteSoon(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const noted = wait(NOTE_MS).finally(() => {
      this.#isPlanned = false;
      this.note();
    });
    drop(noted, this.#options.log, 'noting uploads');
  }

  /** Notes all at once. A file is removed only when it is on disk that it need not be sent again. */
  note(): void {
    if (this.#waiting.length === 0) return;
    const { store, events, log, clock, onNoted } = this.#options;
    const noted = store.done(this.#waiting, clock.now());
    this.#waiting = [];
    for (const row of noted) {
      const { run_id: runId, key, size_bytes: sizeBytes } = row;
      events.emit({ type: 'upload.finished', runId, key, sizeBytes });
      log.debug({ runId, key, sizeBytes }, 'uploaded');
      if (row.remove_after) this.#remove(row.path);
    }
    onNoted();
  }

  /** Notes what is left and waits until the files that are to go are gone. */
  async flush(): Promise<void> {
    this.note();
    await Promise.all(this.#removing);
  }

  #remove(path: string): void {
    const removing = rm(path, { force: true })
      .catch((thrown: unknown) => {
        this.#options.log.warn({ path, err: thrown }, 'an uploaded file could not be removed');
      })
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }
}
