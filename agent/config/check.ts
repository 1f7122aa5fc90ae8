/** What a check of `doctor` finds, and how it is reported. */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip';

export interface Check {
  id: string;
  title: string;
  status: CheckStatus;
  detail: string;
  /** What to do; empty when nothing is. */
  fix: string;
}

export type Report = (check: Omit<Check, 'fix'> & { fix?: string }) => void;
