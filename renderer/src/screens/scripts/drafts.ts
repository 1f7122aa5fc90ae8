/** Changes that are not saved yet: kept in this browser, so that closing the window loses none. */
import { z } from 'zod';

const draftSchema = z.object({
  text: z.string(),
  /** The stored text that it was begun from. */
  base: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
});

export type Draft = z.infer<typeof draftSchema>;

/** Stands for the new script, which has no name yet: no reference has a slash. */
export const NEW_DRAFT = '/new';

const PREFIX = 'lba.draft.';
const VALUES_PREFIX = 'lba.variables.';

/** @param id a reference, or what stands for a new script */
export function readDraft(id: string): Draft | null {
  return read(PREFIX + id, draftSchema);
}

export function writeDraft(id: string, draft: Draft): void {
  write(PREFIX + id, draft);
}

export function dropDraft(id: string): void {
  localStorage.removeItem(PREFIX + id);
}

/** Of which stored scripts there are changes that are not saved. */
export function draftIds(): Set<string> {
  return new Set(
    Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => key.slice(PREFIX.length)),
  );
}

/** What was last written for the variables of a script; never a secret one. */
export function readValues(id: string): Record<string, string> {
  return read(VALUES_PREFIX + id, z.record(z.string(), z.string())) ?? {};
}

export function writeValues(id: string, values: Record<string, string>): void {
  write(VALUES_PREFIX + id, values);
}

function read<T>(key: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(localStorage.getItem(key) ?? 'null'));
  } catch {
    return null;
  }
}

/** A full or forbidden store is no reason to stop somebody who types. */
function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    console.warn(`${key} could not be kept in this browser.`);
  }
}
