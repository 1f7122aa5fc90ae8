/** When a failed upload is tried again. An upload is never given up for a failure of S3. */
import type { AwsFailureKind } from '../aws/failure-kinds.ts';
import { backoffMs as waitMs, type Backoff } from '../base/backoff.ts';

interface UploadBackoff extends Backoff {
  /** The failure is about everything for this bucket: the other uploads wait too, and one probes. */
  holdsBucket: boolean;
}

/** Only a newer version, another script or a person can change the answer; `uploads retry` is at once. */
const RARELY: UploadBackoff = { firstMs: 60_000, mostMs: 1_800_000, holdsBucket: false };

/**
 * By kind rather than by pace (aws/failure-kinds.ts): no task waits for an upload, so the waits grow longer than
 * those of polls and reports.
 */
export const BACKOFF: Record<AwsFailureKind, UploadBackoff> = {
  // A laptop opened again should be uploading within minutes, one offline for hours should stay quiet.
  offline: { firstMs: 1_000, mostMs: 300_000, holdsBucket: true },
  // A person fixes the certificate of a proxy.
  tls: { firstMs: 30_000, mostMs: 900_000, holdsBucket: true },
  aborted: { firstMs: 1_000, mostMs: 300_000, holdsBucket: false },
  throttled: { firstMs: 2_000, mostMs: 120_000, holdsBucket: true },
  server: { firstMs: 1_000, mostMs: 300_000, holdsBucket: false },
  // A person signs in again, or fetches new keys.
  credentials: { firstMs: 15_000, mostMs: 600_000, holdsBucket: true },
  // The SDK has corrected its clock from the refusal's date, so the next attempt usually works. If it does not, a
  // person sets the clock.
  clock: { firstMs: 1_000, mostMs: 600_000, holdsBucket: true },
  // A policy may deny one prefix only, so other uploads are not held.
  denied: RARELY,
  missing: RARELY,
  // The file was checked against its digest: the damage happened on the way.
  corrupt: { firstMs: 1_000, mostMs: 300_000, holdsBucket: false },
  refused_request: RARELY,
  invalid: RARELY,
  // Answers of Step Functions; S3 has no tasks.
  dead_token: RARELY,
  refused_payload: RARELY,
};

/**
 * @param failures failures so far, 1 after the first
 * @param random 0 (inclusive) to 1 (exclusive)
 */
export function backoffMs(kind: AwsFailureKind, failures: number, random: number): number {
  return waitMs(BACKOFF[kind], failures, random);
}
