/** What an import says about each thing it found: never silent about one, never with a credential in it. */

/**
 * - `taken`: taken over (in a dry run: would be)
 * - `same`: here already, as it is there
 * - `kept`: here already, and different: left as it is
 * - `not_needed`: nothing here does the same, and nothing is lost without it
 * - `by_hand`: a person has to do something; the message says what
 * - `failed`: it could not be read, or is wrong; the message says where
 */
export type ImportStatus = 'taken' | 'same' | 'kept' | 'not_needed' | 'by_hand' | 'failed';

export interface ImportItem {
  kind: 'setting' | 'profile' | 'script' | 'file';
  /** As the earlier program calls it: a key, a profile's name, a file. */
  what: string;
  from: Place;
  status: ImportStatus;
  /** What it is here, e.g. `aws.activity_arn`; null when it is nothing here. */
  as: string | null;
  /** One or two sentences: what was done and, where something is left to do, how. */
  message: string;
  /** What means something else than before. */
  changes: MeaningChange[];
}

export interface Place {
  file: string;
  /** One-based, as {@link column}. */
  line?: number;
  column?: number;
}

export interface MeaningChange {
  /** What the earlier program did. */
  was: string;
  /** What happens here. */
  now: string;
  /** Where the script says it first, as a JSON path. */
  path?: string;
  line?: number;
  column?: number;
}

export interface ImportReport {
  folders: string[];
  dry_run: boolean;
  items: ImportItem[];
  /** What is different for every script, whatever it says; empty when there is none. */
  for_every_script: MeaningChange[];
  counts: Record<ImportStatus, number>;
}

/** What was found, and, where it is taken over, the way to do it. */
export interface Finding {
  item: ImportItem;
  take?: Take;
}

/** One change, as the audit log names it. */
export interface Take {
  action: string;
  target: string;
  details: Record<string, string | number | boolean | string[] | null>;
  work: () => unknown;
}

/** `file:3:7`, the form that editors and terminals make a link of. */
export function formatPlace({ file, line, column }: Place): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

export function countsOf(items: readonly ImportItem[]): Record<ImportStatus, number> {
  const counts = { taken: 0, same: 0, kept: 0, not_needed: 0, by_hand: 0, failed: 0 };
  for (const { status } of items) counts[status] += 1;
  return counts;
}
