/** What a list of stored scripts shows of each: read again only when its file has changed. */
import { statSync } from 'node:fs';
import { parseScript } from '../script/parse.ts';
import type { ScriptLibrary, StoredScript } from './script-library.ts';

export interface ScriptFacts {
  /** Milliseconds since the epoch. */
  updatedAt: number;
  /** As the script names itself; null where it cannot be read. */
  title: string | null;
  description: string | null;
  /** In its own list, those inside others not counted; null where it cannot be read. */
  steps: number | null;
  /** The profile that it names. */
  profile: string | null;
  /** Of what it declares. */
  variables: string[];
}

/** A library is rarely larger, and each is some 300 bytes. */
const MAX_KEPT = 2_000;

const kept = new Map<string, { stamp: string; facts: ScriptFacts }>();

/** @returns null when the file is gone */
export function scriptFacts(
  library: ScriptLibrary,
  { name, version, file }: StoredScript,
): ScriptFacts | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return null;
  const stamp = `${stat.mtimeMs}/${stat.size}`;
  const known = kept.get(file);
  if (known?.stamp === stamp) return known.facts;
  let text = '';
  try {
    text = library.read(version === null ? name : `${name}@${version}`);
  } catch {
    // Leads out of the folder, or went meanwhile: shown as what cannot be read.
  }
  const parsed = parseScript(text);
  const script = parsed.ok ? parsed.script : null;
  const facts: ScriptFacts = {
    updatedAt: Math.round(stat.mtimeMs),
    title: script?.name ?? null,
    description: script?.description ?? null,
    steps: script?.steps.length ?? null,
    profile: script?.session?.profile_name ?? null,
    variables: Object.keys(script?.variables ?? {}),
  };
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
  kept.set(file, { stamp, facts });
  return facts;
}
