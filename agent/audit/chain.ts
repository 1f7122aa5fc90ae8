/**
 * The hash chain. A row's hash is SHA-256 over a line per column, each `<length in bytes>:<bytes>\n`, in
 * the order of {@link AUDIT_COLUMNS} without `hash`, after a first line that names the format. So no two
 * different rows have the same bytes, and anybody can do it anew with a dozen lines: docs/audit.md.
 */
import { createHash } from 'node:crypto';
import { AUDIT_COLUMNS, type AuditRow } from '../store/audit.ts';

/** The first line of what is hashed. */
export const FORMAT = 'local-browser-agent audit 1';

/** What row 1 has as the hash of the row before it. */
export const GENESIS = '0'.repeat(64);

const HASHED = AUDIT_COLUMNS.filter((name) => name !== 'hash');

export type HashedColumns = Record<Exclude<keyof AuditRow, 'hash'>, string | number | Buffer>;

/** SHA-256 as 64 lower-case hexadecimal digits. Text counts as UTF-8, numbers as decimal digits. */
export function hashOf(row: HashedColumns): string {
  const hash = createHash('sha256').update(`${FORMAT}\n`);
  for (const name of HASHED) {
    const value = row[name];
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'utf8');
    hash.update(`${bytes.length}:`).update(bytes).update('\n');
  }
  return hash.digest('hex');
}

/** The end of the log at some time: how many rows there were, and the hash of the last one. */
export interface Head {
  seq: number;
  hash: string;
}

/** `12:9f86d0…`: a head as manifests, run records and people carry it. */
export function formatHead({ seq, hash }: Head): string {
  return `${seq}:${hash}`;
}

/** @returns undefined when the text is no head */
export function parseHead(text: string): Head | undefined {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  return match ? { seq: Number(match[1]), hash: match[2]! } : undefined;
}
