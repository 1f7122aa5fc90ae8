/** When a failed upload is tried again. Nothing in here ever gives one up. */
import type { AwsFailureKind } from '../aws/errors.ts';

interface Backoff {
  /** Before the second attempt. */
  firstMs: number;
  /** Doubling stops here. */
  mostMs: number;
  /** The failure says something about everything for this bucket: the others wait too, and one probes. */
  holdsBucket: boolean;
}

/** Why each class waits as it does. */
export const BACKOFF: Record<AwsFailureKind, Backoff> = {
  // A laptop opened again should be uploading within minutes, one offline for hours should stay quiet.
  offline: { firstMs: 1_000, mostMs: 300_000, holdsBucket: true },
  // A proxy's certificate is a thing a person fixes.
  tls: { firstMs: 30_000, mostMs: 900_000, holdsBucket: true },
  throttled: { firstMs: 2_000, mostMs: 120_000, holdsBucket: true },
  server: { firstMs: 1_000, mostMs: 300_000, holdsBucket: false },
  // A person signs in again, or fetches new keys.
  credentials: { firstMs: 15_000, mostMs: 600_000, holdsBucket: true },
  clock: { firstMs: 30_000, mostMs: 600_000, holdsBucket: true },
  // A policy may deny one prefix only, so others are not held. A person changes it; half an hour is
  // soon enough, and `uploads retry` is at once.
  denied: { firstMs: 60_000, mostMs: 1_800_000, holdsBucket: false },
  missing: { firstMs: 60_000, mostMs: 1_800_000, holdsBucket: false },
  // The file has been checked against its digest: the damage was on the way.
  corrupt: { firstMs: 1_000, mostMs: 300_000, holdsBucket: false },
  // Refused for a reason we do not know, e.g. a limit. Kept, for a newer version to send.
  invalid: { firstMs: 60_000, mostMs: 1_800_000, holdsBucket: false },
};

/** Beyond this many doublings every class is at its most. */
const MAX_DOUBLINGS = 16;

/**
 * Exponential with equal jitter: between half and all of the nominal wait, so that a room of agents that
 * lost the same network does not come back in step.
 *
 * @param failures failures so far, 1 after the first
 * @param random 0 ≤ random < 1
 */
export function backoffMs(kind: AwsFailureKind, failures: number, random: number): number {
  const { firstMs, mostMs } = BACKOFF[kind];
  const nominal = Math.min(mostMs, firstMs * 2 ** Math.min(MAX_DOUBLINGS, failures - 1));
  return Math.round(nominal / 2 + (nominal / 2) * random);
}
