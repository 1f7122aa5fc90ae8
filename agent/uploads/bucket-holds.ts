/**
 * Buckets that wait as a whole, because of a failure that concerns everything in them (no network, no
 * credentials). When the wait is over, one upload probes the bucket; the others wait for its outcome.
 */
import type { AwsFailureKind } from '../aws/failure-kinds.ts';

interface Hold {
  kind: AwsFailureKind;
  message: string;
  failures: number;
  /** Milliseconds since the epoch. */
  untilMs: number;
  probing: boolean;
}

export interface HeldBucket {
  bucket: string;
  kind: AwsFailureKind;
  message: string;
  /** Milliseconds since the epoch. */
  retryAt: number;
}

export class BucketHolds {
  readonly #holds = new Map<string, Hold>();

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  /** Buckets with a hold, whether it is over or not. */
  buckets(): string[] {
    return [...this.#holds.keys()];
  }

  /** Buckets from which no upload may start now. */
  closed(now: number): string[] {
    return [...this.#holds]
      .filter(([, { probing, untilMs }]) => probing || untilMs > now)
      .map(([name]) => name);
  }

  /** An upload to the bucket starts; where the bucket is held, it is the probe. Returns what ends the probe. */
  probe(bucket: string): () => void {
    const hold = this.#holds.get(bucket);
    if (hold) hold.probing = true;
    return () => {
      if (hold) hold.probing = false;
    };
  }

  /**
   * An upload failed, in a way that concerns the whole bucket. Uploads that were on their way when the network
   * went count as one failure, not as one each.
   *
   * @param retryAt when to probe, in milliseconds since the epoch, after this many failures in a row
   */
  fail(
    bucket: string,
    failure: { kind: AwsFailureKind; message: string },
    retryAt: (failures: number) => number,
  ): { retryAt: number; isNews: boolean } {
    const hold = this.#holds.get(bucket);
    const isNews = !hold || hold.probing;
    const failures = (hold?.failures ?? 0) + (isNews ? 1 : 0);
    const untilMs = retryAt(failures);
    this.#holds.set(bucket, { ...failure, failures, untilMs, probing: false });
    return { retryAt: untilMs, isNews };
  }

  /** Nothing was sent, because the circuit breaker is open until `retryAt`: not a failure of its own. */
  refuse(bucket: string, { kind, message, retryAt }: Omit<HeldBucket, 'bucket'>): void {
    const failures = this.#holds.get(bucket)?.failures ?? 1;
    this.#holds.set(bucket, { kind, message, failures, untilMs: retryAt, probing: false });
  }

  /** The bucket answered. @returns whether it was held */
  release(bucket: string): boolean {
    return this.#holds.delete(bucket);
  }

  clear(): void {
    this.#holds.clear();
  }

  /** When the next hold ends that is not over and has no probe on its way; `Infinity` when there is none. */
  nextEnd(now: number): number {
    const ends = [...this.#holds.values()].filter(({ probing }) => !probing).map(({ untilMs }) => untilMs);
    return Math.min(...ends.filter((until) => until > now));
  }

  /** When the first held bucket may be tried; 0: a probe is on its way; `Infinity`: nothing is held. */
  firstTry(): number {
    return Math.min(...[...this.#holds.values()].map(({ probing, untilMs }) => (probing ? 0 : untilMs)));
  }

  list(): HeldBucket[] {
    return [...this.#holds].map(([bucket, { kind, message, untilMs }]) => ({
      bucket,
      kind,
      message,
      retryAt: untilMs,
    }));
  }
}
