/**
 * How much each key may ask: per minute and per day (UTC), counted in fixed windows. The day's count is in
 * the database, so that a restart does not give a second day. It is written a block ahead: an agent that is
 * killed gives no request back, and takes at most a hundredth of the day's from the key.
 */
import type { Clock } from '../base/clock.ts';
import type { ApiKeyRow, ApiKeyStore, ApiTier } from '../store/api-keys.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Uses are written at most this often per key: a write per request would cost more than the request. */
const SAVE_MS = 5_000;
/** What of a day's limit is put down as used ahead of time. */
const BLOCK_SHARE = 0.01;

export type TierLimits = Record<ApiTier, { perMinute: number; perDay: number }>;

/** What is left in the tighter of the two windows. */
export interface Allowance {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** Until the window ends, whole seconds, at least 1. */
  resetSeconds: number;
  /** Both windows, as `RateLimit-Policy` has it. */
  policy: string;
}

interface Usage {
  minute: number;
  minuteRequests: number;
  day: number;
  dayRequests: number;
  /** What the database says of the day: never less than `dayRequests`. */
  dayReserved: number;
  usedAt: number;
  savedAt: number;
  isSaved: boolean;
}

export class RateLimits {
  readonly #store: ApiKeyStore;
  readonly #limits: () => TierLimits;
  readonly #clock: Clock;
  readonly #usage = new Map<string, Usage>();

  constructor(options: { store: ApiKeyStore; limits: () => TierLimits; clock: Clock }) {
    this.#store = options.store;
    this.#limits = options.limits;
    this.#clock = options.clock;
  }

  /** Counts one request of this key, unless it is one too many. */
  take(key: ApiKeyRow): Allowance {
    const now = this.#clock.now();
    const { perMinute, perDay } = this.#limits()[key.tier];
    const usage = this.#usageOf(key, now);
    const allowed = usage.minuteRequests < perMinute && usage.dayRequests < perDay;
    if (allowed) {
      usage.minuteRequests += 1;
      usage.dayRequests += 1;
      usage.usedAt = now;
      usage.isSaved = false;
      const isBeyond = usage.dayRequests > usage.dayReserved;
      if (isBeyond) {
        const block = Math.max(1, Math.floor(perDay * BLOCK_SHARE));
        usage.dayReserved = Math.min(perDay, usage.dayRequests + block - 1);
      }
      if (isBeyond || now - usage.savedAt >= SAVE_MS) this.#save(key.key_id, usage, now);
    }
    const minute = { limit: perMinute, used: usage.minuteRequests, endsAt: (usage.minute + 1) * MINUTE_MS };
    const day = { limit: perDay, used: usage.dayRequests, endsAt: (usage.day + 1) * DAY_MS };
    // When the day is used up, waiting a minute helps nobody.
    const tighter = day.limit - day.used <= minute.limit - minute.used ? day : minute;
    return {
      allowed,
      limit: tighter.limit,
      remaining: tighter.limit - tighter.used,
      resetSeconds: Math.max(1, Math.ceil((tighter.endsAt - now) / 1_000)),
      policy: `${perMinute};w=60, ${perDay};w=86400`,
    };
  }

  /** Writes what is not written yet. */
  flush(): void {
    const now = this.#clock.now();
    for (const [keyId, usage] of this.#usage) {
      if (usage.isSaved && usage.dayReserved === usage.dayRequests) continue;
      usage.dayReserved = usage.dayRequests;
      this.#save(keyId, usage, now);
    }
  }

  #usageOf(key: ApiKeyRow, now: number): Usage {
    const minute = Math.floor(now / MINUTE_MS);
    const day = Math.floor(now / DAY_MS);
    let usage = this.#usage.get(key.key_id);
    if (!usage) {
      const dayRequests = key.day === nameOf(day) ? key.day_requests : 0;
      usage = {
        minute,
        minuteRequests: 0,
        day,
        dayRequests,
        dayReserved: dayRequests,
        usedAt: key.last_used_at ?? 0,
        savedAt: 0,
        isSaved: true,
      };
      this.#usage.set(key.key_id, usage);
    }
    if (usage.minute !== minute) Object.assign(usage, { minute, minuteRequests: 0 });
    if (usage.day !== day) Object.assign(usage, { day, dayRequests: 0, dayReserved: 0 });
    return usage;
  }

  #save(keyId: string, usage: Usage, now: number): void {
    usage.savedAt = now;
    usage.isSaved = true;
    this.#store.noteUse(keyId, {
      at: usage.usedAt,
      day: nameOf(usage.day),
      dayRequests: usage.dayReserved,
    });
  }
}

function nameOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
