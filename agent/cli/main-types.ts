/** What every verb is given. */
export interface VerbOptions {
  /** The data directory. */
  home: string;
  json?: boolean;
}

/** Thrown by a verb that failed and whose result, if any, is printed already; exit code 1. */
export class Failed extends Error {}

/** Thrown by a verb that cannot make sense of what it was given; exit code 2. */
export class WrongUse extends Error {}
