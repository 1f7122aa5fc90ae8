/**
 * Answers as they were sent, kept while nothing in the database changes: many programs that look at the same
 * things again and again cost little more than one, also while a run is at work.
 */
import type { FastifyReply } from 'fastify';
import type { Database } from '../store/database.ts';

/** Enough for what windows show at a time; the rest is made anew. */
const MAX_KEPT = 64;
/** Characters of one answer; larger ones are rare, and memory counts. */
const MAX_LENGTH = 131_072;

export class KeptAnswers {
  readonly #ownChanges: { get(): unknown };
  readonly #othersChanges: { get(): unknown };
  readonly #kept = new Map<string, string>();
  #version = '';

  constructor(db: Database) {
    this.#ownChanges = db.prepare('SELECT total_changes()').pluck();
    // What other processes commit: https://www.sqlite.org/pragma.html#pragma_data_version
    this.#othersChanges = db.prepare('PRAGMA data_version').pluck();
  }

  /**
   * Sends what `make` gives, as JSON. It must depend on the database and the key alone, and not on who asks.
   *
   * @throws what `make` throws; nothing is kept then
   */
  send(reply: FastifyReply, key: string, make: () => unknown): FastifyReply {
    return reply.type('application/json; charset=utf-8').send(this.#text(key, make));
  }

  #text(key: string, make: () => unknown): string {
    const version = `${String(this.#ownChanges.get())}/${String(this.#othersChanges.get())}`;
    if (version !== this.#version) {
      this.#kept.clear();
      this.#version = version;
    }
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const text = JSON.stringify(make());
    if (text.length <= MAX_LENGTH && this.#kept.size < MAX_KEPT) this.#kept.set(key, text);
    return text;
  }
}
