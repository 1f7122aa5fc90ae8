/**
 * The audit log: who did what to what, when, from where, with which result. Append-only, each row chained
 * to the one before. What that proves and what it cannot: docs/audit.md.
 */
import { z } from 'zod';
import { ACTOR_KINDS, type Actor } from '../base/actor.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { toAgentError } from '../base/errors.ts';
import { maskSensitive, maskText } from '../base/mask-sensitive.ts';
import type { JsonObject } from '../base/words.ts';
import { AuditStore, type AuditFilter, type RawAuditRow } from '../store/audit.ts';
import { unhurried, type Database } from '../store/database.ts';
import { formatHead, GENESIS, hashOf, parseHead, type Head } from './chain.ts';

/** Texts are cut to this many characters: a log line is no place for a document. */
const TEXT_CHARACTERS = 300;
/** Details longer than this, as JSON, are left out and said to be. */
const DETAILS_CHARACTERS = 8_000;

export type AuditResult = 'ok' | 'failed' | 'denied';

export interface NewAuditEntry {
  by: Actor;
  /** `thing.verb`, e.g. `run.start`, `key.revoke`, `settings.change`. */
  action: string;
  /** What it was done to, as `kind/name`: `run/0198…`, `profile/portal`, `setting/recording.max_level`. */
  target: string;
  /** Default: `ok`. */
  result?: AuditResult;
  /** Credentials are taken out by the names of the fields and by their form; give none in the first place. */
  details?: JsonObject;
}

export interface AuditEntry {
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  by: Actor;
  action: string;
  target: string;
  result: AuditResult;
  details: JsonObject;
  hash: string;
}

/** A head that somebody wrote down, and where: it must be in the log. */
export interface KnownHead {
  head: string;
  /** In words, e.g. `the manifest of run 0198…`. */
  source: string;
}

export type Verification =
  | { ok: true; rows: number; head: string; headsCompared: number }
  | { ok: false; firstBadRow: number; why: string };

export class AuditLog {
  readonly #db: Database;
  readonly #store: AuditStore;
  readonly #clock: Clock;

  constructor(options: { db: Database; clock?: Clock }) {
    this.#db = options.db;
    this.#store = new AuditStore(options.db);
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * On disk when it returns; with `unhurried`, at the latest with the next write that waits for the disk.
   * @returns the new head
   */
  append(entry: NewAuditEntry, options: { unhurried?: boolean } = {}): string {
    const write = (): string => {
      const { seq, hash } = this.#store.append((last) => {
        const row = {
          seq: (last?.seq ?? 0) + 1,
          at: this.#clock.now(),
          actor_kind: entry.by.kind,
          actor_id: plain(entry.by.id),
          origin: plain(entry.by.from),
          action: plain(entry.action),
          target: plain(entry.target),
          result: entry.result ?? 'ok',
          details: detailsOf(entry.details ?? {}),
          prev_hash: last?.hash ?? GENESIS,
        };
        return { ...row, hash: hashOf(row) };
      });
      return formatHead({ seq, hash });
    };
    return options.unhurried === true ? unhurried(this.#db, write) : write();
  }

  /** Does it, and writes down how that ended; what is thrown goes on to the caller. */
  async around<T>(entry: Omit<NewAuditEntry, 'result'>, work: () => T | Promise<T>): Promise<T> {
    let value: T;
    try {
      value = await work();
    } catch (thrown) {
      const { errorName, message } = toAgentError(thrown);
      this.append({ ...entry, result: 'failed', details: { ...entry.details, error: errorName, message } });
      throw thrown;
    }
    this.append(entry);
    return value;
  }

  /** `<rows>:<hash of the last>`; of an empty log, `0:` and the genesis value. */
  head(): string {
    return formatHead(this.#store.last() ?? { seq: 0, hash: GENESIS });
  }

  /** Newest first. */
  list(filter: AuditFilter): AuditEntry[] {
    return this.#store.list(filter).map((row) =>
      auditEntry.parse({
        seq: row.seq,
        at: row.at,
        by: { kind: row.actor_kind, id: row.actor_id, from: row.origin },
        action: row.action,
        target: row.target,
        result: row.result,
        details: JSON.parse(row.details) as unknown,
        hash: row.hash,
      }),
    );
  }

  /** Goes through the whole log, and looks for each of the heads in it. */
  verify(heads: readonly KnownHead[] = []): Verification {
    const named = new Map<number, (KnownHead & Head)[]>();
    for (const known of heads) {
      const head = parseHead(known.head);
      if (!head) return { ok: false, firstBadRow: 0, why: `${known.source} names no readable head` };
      named.set(head.seq, [...(named.get(head.seq) ?? []), { ...known, ...head }]);
    }
    let last: Head = { seq: 0, hash: GENESIS };
    let bad = wrongHead(last, named);
    for (const row of this.#store.raw()) {
      const seq = last.seq + 1;
      const why = whatIsWrong(row, { seq, prevHash: last.hash });
      if (why !== null) return { ok: false, firstBadRow: seq, why };
      last = { seq, hash: row.hash.toString('latin1') };
      bad ??= wrongHead(last, named);
    }
    const missing = [...named.values()].flat().find((known) => known.seq > last.seq);
    if (missing) {
      return {
        ok: false,
        firstBadRow: last.seq + 1,
        why: `the end of the log is gone: ${missing.source} knows ${missing.seq} rows, there are ${last.seq}`,
      };
    }
    return bad ?? { ok: true, rows: last.seq, head: formatHead(last), headsCompared: heads.length };
  }
}

const auditEntry: z.ZodType<AuditEntry> = z.object({
  seq: z.number(),
  at: z.number(),
  by: z.object({ kind: z.enum(ACTOR_KINDS), id: z.string(), from: z.string() }),
  action: z.string(),
  target: z.string(),
  result: z.enum(['ok', 'failed', 'denied']),
  details: z.record(z.string(), z.json()) as z.ZodType<JsonObject>,
  hash: z.string(),
});

function whatIsWrong(row: RawAuditRow, expected: { seq: number; prevHash: string }): string | null {
  if (row.seq.toString('latin1') !== String(expected.seq)) {
    return `row ${expected.seq} is missing: row ${row.seq.toString('latin1')} comes in its place`;
  }
  if (row.prev_hash.toString('latin1') !== expected.prevHash) {
    return `row ${expected.seq} does not go on where row ${expected.seq - 1} ended`;
  }
  if (row.hash.toString('latin1') !== hashOf(row)) {
    return `row ${expected.seq} was changed: its hash is not that of its columns`;
  }
  return null;
}

function wrongHead(
  at: Head,
  named: ReadonlyMap<number, (KnownHead & Head)[]>,
): Extract<Verification, { ok: false }> | null {
  const wrong = named.get(at.seq)?.find((known) => known.hash !== at.hash);
  if (!wrong) return null;
  const why = `the log was rewritten: ${wrong.source} knows another hash of row ${at.seq}`;
  return { ok: false, firstBadRow: at.seq, why };
}

/** No lone surrogates (they have no UTF-8), no credentials, not longer than a line. */
function plain(text: string): string {
  return maskText(text).slice(0, TEXT_CHARACTERS).toWellFormed();
}

function detailsOf(details: JsonObject): string {
  const text = JSON.stringify(maskSensitive(details)).toWellFormed();
  if (text.length <= DETAILS_CHARACTERS) return text;
  return JSON.stringify({ left_out: `details of ${text.length} characters` });
}
