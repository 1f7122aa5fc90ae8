/** Keys of the local API: never the key itself, only its SHA-256. */
import { z } from 'zod';
import { unhurried, type Database } from './database.ts';

export const API_SCOPES = ['read', 'run', 'operate', 'admin'] as const;
export type ApiScope = (typeof API_SCOPES)[number];

export const API_TIERS = ['basic', 'standard', 'premium'] as const;
export type ApiTier = (typeof API_TIERS)[number];

const keyRow = z.object({
  key_id: z.string(),
  name: z.string(),
  /** SHA-256 of the whole key, hexadecimal. */
  sha256: z.string(),
  scopes: z.string().transform((text) => z.array(z.enum(API_SCOPES)).parse(JSON.parse(text))),
  tier: z.enum(API_TIERS),
  created_at: z.number(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  last_used_at: z.number().nullable(),
  /** UTC date that `day_requests` counts, e.g. `2026-05-01`. */
  day: z.string().nullable(),
  day_requests: z.number(),
});

export type ApiKeyRow = z.infer<typeof keyRow>;

export interface NewApiKey {
  keyId: string;
  name: string;
  sha256: string;
  scopes: readonly ApiScope[];
  tier: ApiTier;
  now: number;
  expiresAt: number | null;
}

export class ApiKeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  insert(key: NewApiKey): void {
    this.#db
      .prepare(
        `INSERT INTO api_keys (key_id, name, sha256, scopes, tier, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(key.keyId, key.name, key.sha256, JSON.stringify(key.scopes), key.tier, key.now, key.expiresAt);
  }

  /** Newest first, revoked ones too. */
  list(): ApiKeyRow[] {
    return this.#db
      .prepare('SELECT * FROM api_keys ORDER BY created_at DESC, rowid DESC')
      .all()
      .map((row) => keyRow.parse(row));
  }

  find(keyId: string): ApiKeyRow | undefined {
    const row = this.#db.prepare('SELECT * FROM api_keys WHERE key_id = ?').get(keyId);
    return row === undefined ? undefined : keyRow.parse(row);
  }

  /** Whether it can be used: it is there, not revoked, and its time is not over. */
  isGood(keyId: string, now: number): boolean {
    const row = this.find(keyId);
    return row !== undefined && row.revoked_at === null && (row.expires_at === null || row.expires_at > now);
  }

  /** For good. @returns false when there is no such key; one that is revoked already stays as it is */
  revoke(keyId: string, now: number): boolean {
    return (
      this.#db
        .prepare('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?')
        .run(now, keyId).changes === 1
    );
  }

  /** A power failure may forget the last of these: a few requests of a day's limit, no more. */
  noteUse(keyId: string, use: { at: number; day: string; dayRequests: number }): void {
    const statement = this.#db.prepare(
      'UPDATE api_keys SET last_used_at = ?, day = ?, day_requests = ? WHERE key_id = ?',
    );
    unhurried(this.#db, () => statement.run(use.at, use.day, use.dayRequests, keyId));
  }
}
