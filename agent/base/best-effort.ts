import type { Logger } from './log.ts';

/** Does what only informs people. Its failure (a full disk, say) is logged and must not stop the work itself. */
export function bestEffort(log: Logger, what: string, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    log.warn({ err: thrown }, `${what} failed`);
  }
}
