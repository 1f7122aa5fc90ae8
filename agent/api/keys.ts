/**
 * Keys: made from 256 random bits, shown once, kept as a hash. `lba_<id>_<secret>`: the prefix lets a person
 * and a secret scanner know what it is, the id names it in lists and logs.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { ApiKeyRow, ApiKeyStore, ApiScope, ApiTier } from '../store/api-keys.ts';

/** 256 bits: nobody guesses it, so a plain fast hash is enough to keep it by. */
const SECRET_BYTES = 32;
const ID_BYTES = 6;
const KEY = /^lba_(?<id>[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** The owner's key has another secret at each start, and this id in all of them. */
export const OWNER_ID = 'owner';

/** Who asks: one key. */
export interface Caller {
  keyId: string;
  name: string;
  scopes: readonly ApiScope[];
  /** Null for the owner, who has no limits. */
  row: ApiKeyRow | null;
}

export type Verdict =
  | { ok: true; caller: Caller }
  | { ok: false; why: 'no such key' | 'revoked' | 'expired' };

export interface KeySpec {
  name: string;
  scopes: readonly ApiScope[];
  tier: ApiTier;
  /** Milliseconds since the epoch; null: never. */
  expiresAt: number | null;
}

export class KeyRing {
  readonly #store: ApiKeyStore;
  readonly #clock: Clock;
  readonly #owner: { id: string; sha256: string } | null;
  readonly #watchers = new Set<(keyId: string) => void>();
  /** The owner's key, for this start of the agent only; null where nobody serves. */
  readonly ownerToken: string | null;

  /** `owner`: the owner's key of the life before, which is to stay good. */
  constructor(options: { store: ApiKeyStore; clock: Clock; withOwner?: boolean; owner?: string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    const made =
      options.owner === undefined ? (options.withOwner === true ? makeKey() : null) : keyOf(options.owner);
    this.ownerToken = made?.key ?? null;
    this.#owner = made ? { id: made.keyId, sha256: made.sha256 } : null;
  }

  /** The key itself is in the answer, and nowhere else ever again. */
  create(spec: KeySpec): { row: ApiKeyRow; key: string } {
    const { keyId, key, sha256 } = makeKey();
    this.#store.insert({ keyId, sha256, now: this.#clock.now(), ...spec });
    const row = this.#store.find(keyId);
    if (!row) throw new Error(`key ${keyId} was not stored`);
    return { row, key };
  }

  list(): ApiKeyRow[] {
    return this.#store.list();
  }

  /** From the next request on. @returns the key as it is now, undefined when there is none */
  revoke(keyId: string): ApiKeyRow | undefined {
    this.#store.revoke(keyId, this.#clock.now());
    for (const watcher of this.#watchers) watcher(keyId);
    return this.#store.find(keyId);
  }

  /** Told of each key that is revoked through this ring. @returns a function that ends it */
  onRevoked(watcher: (keyId: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Also when another process did it. */
  isRevoked(keyId: string): boolean {
    return keyId !== OWNER_ID && this.#store.find(keyId)?.revoked_at !== null;
  }

  isExpired({ row }: Caller): boolean {
    return row !== null && row.expires_at !== null && row.expires_at <= this.#clock.now();
  }

  /** Takes as long for a wrong secret as for the right one. */
  verify(key: string): Verdict {
    const keyId = KEY.exec(key)?.groups?.['id'];
    if (keyId === undefined) return { ok: false, why: 'no such key' };
    const given = sha256Of(key);
    if (this.#owner && keyId === this.#owner.id) {
      if (!sameHash(given, this.#owner.sha256)) return { ok: false, why: 'no such key' };
      return { ok: true, caller: { keyId: OWNER_ID, name: 'owner', scopes: ['admin'], row: null } };
    }
    const row = this.#store.find(keyId);
    if (!sameHash(given, row?.sha256 ?? NO_HASH) || !row) return { ok: false, why: 'no such key' };
    if (row.revoked_at !== null) return { ok: false, why: 'revoked' };
    if (row.expires_at !== null && row.expires_at <= this.#clock.now()) return { ok: false, why: 'expired' };
    return { ok: true, caller: { keyId, name: row.name, scopes: row.scopes, row } };
  }
}

/** `admin` may do everything; who may act may also look. */
export function mayDo(scopes: readonly ApiScope[], needed: ApiScope): boolean {
  return scopes.includes('admin') || scopes.includes(needed) || (needed === 'read' && scopes.length > 0);
}

/** Compared with when there is no such key, so that this takes no less time. */
const NO_HASH = '0'.repeat(64);

function sameHash(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}

function sha256Of(text: string): string {
  return hash('sha256', text);
}

/** @throws Error for a text that is no key of ours: a bug */
function keyOf(key: string): { keyId: string; key: string; sha256: string } {
  const keyId = KEY.exec(key)?.groups?.['id'];
  if (keyId === undefined) throw new Error('this is no key');
  return { keyId, key, sha256: sha256Of(key) };
}

function makeKey(): { keyId: string; key: string; sha256: string } {
  const keyId = randomBytes(ID_BYTES).toString('hex');
  const key = `lba_${keyId}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { keyId, key, sha256: sha256Of(key) };
}
