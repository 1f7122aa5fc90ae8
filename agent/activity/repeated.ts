/** Says a thing once: identical problems in a row are logged the first time and counted after that. */
import type { Logger } from '../base/log.ts';
import { describe, type Problem } from './problems.ts';

/** A problem that goes on is repeated in the log once an hour, so that a log cut by rotation still shows it. */
const REMIND_AFTER_MS = 3_600_000;

export interface OngoingProblem extends Problem {
  /** How often in a row. */
  count: number;
  firstAt: number;
  lastAt: number;
}

export class Repeated {
  readonly #log: Logger;
  readonly #what: string;
  #current: OngoingProblem | null = null;
  #loggedAt = 0;

  /** @param what the thing that fails, as the start of a sentence: "polling for tasks" */
  constructor(log: Logger, what: string) {
    this.#log = log;
    this.#what = what;
  }

  get current(): OngoingProblem | null {
    return this.#current;
  }

  /** @returns whether this problem is another one than the last */
  failed(problem: Problem, now: number): boolean {
    const last = this.#current;
    const same = last !== null && last.name === problem.name && last.message === problem.message;
    this.#current = same
      ? { ...last, count: last.count + 1, lastAt: now }
      : { ...problem, count: 1, firstAt: now, lastAt: now };
    if (!same || now - this.#loggedAt >= REMIND_AFTER_MS) {
      this.#loggedAt = now;
      const { count, class: kind, advice } = this.#current;
      this.#log.warn(
        { problem: kind, count, ...(advice ? { advice } : {}) },
        `${this.#what} failed: ${describe(problem)}`,
      );
    }
    return !same;
  }

  worked(now: number): void {
    const last = this.#current;
    if (!last) return;
    this.#current = null;
    this.#log.info(
      { problem: last.class, count: last.count, durationMs: now - last.firstAt },
      `${this.#what} works again`,
    );
  }
}
