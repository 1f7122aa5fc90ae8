/**
 * Tickets to watch a run, or to act in it. A page cannot send a key with a WebSocket, and a key in an address
 * ends up in logs: so whoever has a key gets a ticket for one run and one role, good for one connection and
 * for a short time. Kept as hashes, in memory alone: a new start of the agent knows none of the old ones.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';

export const LIVE_ROLES = ['viewer', 'operator'] as const;
export type LiveRole = (typeof LIVE_ROLES)[number];

/** 256 bits: nobody guesses it, so a plain fast hash is enough to keep it by. */
const TICKET_BYTES = 32;
/** A used or old ticket is remembered for this many times its life, so that its holder is told what became of it. */
const REMEMBERED_LIVES = 10;
/** Tickets known at a time; the oldest goes first. Far above what people open in ten minutes. */
const MAX_TICKETS = 10_000;

export interface NewTicket {
  /** The ticket itself, told this once. */
  ticket: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export type Redeemed =
  | { runId: string; role: LiveRole; keyId: string }
  | { problem: 'unknown' | 'expired' | 'used' | 'revoked' };

export interface LiveTicketsOptions {
  clock: Clock;
  /** Life of a ticket, milliseconds; asked for each one. */
  lifeMs: () => number;
  /** Whether the key that the ticket was made with can still be used. */
  isKeyGood: (keyId: string) => boolean;
}

interface Known {
  runId: string;
  role: LiveRole;
  keyId: string;
  expiresAt: number;
  forgetAt: number;
  isUsed: boolean;
}

export class LiveTickets {
  readonly #options: LiveTicketsOptions;
  /** By hash, oldest first. */
  readonly #known = new Map<string, Known>();

  constructor(options: LiveTicketsOptions) {
    this.#options = options;
  }

  issue(wanted: { runId: string; role: LiveRole; keyId: string }): NewTicket {
    const { clock, lifeMs } = this.#options;
    const now = clock.now();
    this.#forget(now);
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    const expiresAt = now + lifeMs();
    const forgetAt = now + REMEMBERED_LIVES * lifeMs();
    this.#known.set(hashOf(ticket), { ...wanted, expiresAt, forgetAt, isUsed: false });
    return { ticket, expiresAt };
  }

  /** Uses the ticket up: the second time it is worth nothing. Who serves it still sees whether the run goes on. */
  redeem(ticket: string): Redeemed {
    const { clock, isKeyGood } = this.#options;
    const known = this.#known.get(hashOf(ticket));
    if (!known) return { problem: 'unknown' };
    if (known.isUsed) return { problem: 'used' };
    if (known.expiresAt <= clock.now()) return { problem: 'expired' };
    if (!isKeyGood(known.keyId)) return { problem: 'revoked' };
    known.isUsed = true;
    const { runId, role, keyId } = known;
    return { runId, role, keyId };
  }

  #forget(now: number): void {
    for (const [hash, { forgetAt }] of this.#known) {
      if (forgetAt > now && this.#known.size < MAX_TICKETS) return;
      this.#known.delete(hash);
    }
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
