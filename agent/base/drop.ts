import type { Logger } from './log.ts';

/** Lets a promise run on its own: its failure is logged, never unhandled. */
export function drop(promise: Promise<unknown>, log: Logger, what: string): void {
  promise.catch((thrown: unknown) => {
    log.warn({ err: thrown }, `${what} failed`);
  });
}
