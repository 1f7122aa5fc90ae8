import type { PageProblem } from './page-problems.ts';

/** What happened last is what explains a failure. */
const MAX_PROBLEMS = 100;
/** A stack trace is rarely longer; a page that logs its whole state is not of use. */
const MAX_TEXT_CHARACTERS = 2_000;

export interface TimedProblem extends PageProblem {
  /** ISO 8601. */
  at: string;
  /** How often it came in a row. */
  times: number;
}

/** The last errors of a run's pages: console, exceptions, network. */
export class ProblemRing {
  #problems: TimedProblem[] = [];
  #total = 0;

  add(problem: PageProblem, wallTimeMs: number): void {
    this.#total += 1;
    const text = problem.text.slice(0, MAX_TEXT_CHARACTERS);
    const last = this.#problems.at(-1);
    if (last && last.text === text && last.kind === problem.kind && last.url === problem.url) {
      last.times += 1;
      return;
    }
    this.#problems.push({ ...problem, text, at: new Date(wallTimeMs).toISOString(), times: 1 });
    if (this.#problems.length > MAX_PROBLEMS) this.#problems.shift();
  }

  get total(): number {
    return this.#total;
  }

  list(): readonly TimedProblem[] {
    return this.#problems;
  }
}
