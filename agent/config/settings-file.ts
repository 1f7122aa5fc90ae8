/** settings.yaml: read with the place of every value, written without losing a comment. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { AgentError } from '../base/errors.ts';
import { replaceFile } from '../base/replace-file.ts';
import { settingDefinition, settingDefinitions } from './definitions.ts';

export interface ConfigProblem {
  severity: 'error' | 'warning';
  /** `settings.yaml`'s path, the name of an environment variable, a flag, or a place in AWS. */
  where: string;
  /** 1-based, for files. */
  line?: number;
  column?: number;
  key?: string;
  message: string;
}

/** `…/settings.yaml:3:5: error: …`, the form that editors and terminals make a link of. */
export function formatConfigProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`;
  return `${problem.where}${place}: ${problem.severity}: ${problem.message}`;
}

export interface FileValue {
  key: string;
  value: unknown;
  line: number;
  column: number;
}

export type SettingsFile =
  | { state: 'absent' }
  /** Not YAML, or not a mapping: nothing in it can be trusted. */
  | { state: 'broken'; problems: ConfigProblem[] }
  | { state: 'ok'; text: string; values: FileValue[]; problems: ConfigProblem[] };

/** Never throws: an agent must start, and say what is wrong, with any file. */
export function readSettingsFile(path: string): SettingsFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { state: 'absent' };
    const message = `the file cannot be read (${code ?? 'unknown error'}): check its permissions`;
    return { state: 'broken', problems: [{ severity: 'error', where: path, message }] };
  }
  return parseSettings(text, path);
}

export function parseSettings(text: string, path: string): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    return {
      state: 'broken',
      problems: document.errors.map((error) => ({
        severity: 'error',
        where: path,
        ...at(error.pos[0]),
        message: `not valid YAML: ${error.message}`,
      })),
    };
  }
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    return { state: 'ok', text, values: [], problems: [] };
  }
  if (!isMap(root)) {
    const message = 'expected groups of settings, such as `recording:` with `default_level: INFO` below it';
    return { state: 'broken', problems: [{ severity: 'error', where: path, line: 1, column: 1, message }] };
  }

  const values: FileValue[] = [];
  const problems: ConfigProblem[] = [];
  const groups = new Set<string>(settingDefinitions.map(({ group }) => group));
  for (const { key: groupNode, value: group } of root.items) {
    const name = String(isScalar(groupNode) ? groupNode.value : groupNode);
    const place = at((groupNode as Node | null)?.range?.[0] ?? 0);
    if (settingDefinition(name)) {
      // `recording.max_level: NONE` on one line says the same.
      const valuePlace = at((group as Node | null)?.range?.[0] ?? 0);
      values.push({ key: name, value: (group as Node | null)?.toJS(document), ...valuePlace });
      continue;
    }
    if (!groups.has(name)) {
      problems.push(unknownKey(path, place, name, [...groups, ...settingDefinitions.map(({ key }) => key)]));
      continue;
    }
    if (group === null || (isScalar(group) && group.value === null)) continue;
    if (!isMap(group)) {
      const message = `\`${name}\` is a group: put its settings below it, indented`;
      problems.push({ severity: 'error', where: path, ...place, key: name, message });
      continue;
    }
    for (const { key: keyNode, value } of group.items) {
      const key = `${name}.${String(isScalar(keyNode) ? keyNode.value : keyNode)}`;
      const keyPlace = at((keyNode as Node | null)?.range?.[0] ?? 0);
      if (!settingDefinition(key)) {
        problems.push(
          unknownKey(
            path,
            keyPlace,
            key,
            settingDefinitions.map((each) => each.key),
          ),
        );
        continue;
      }
      const valuePlace = at((value as Node | null)?.range?.[0] ?? (keyNode as Node | null)?.range?.[0] ?? 0);
      values.push({ key, value: (value as Node | null)?.toJS(document), ...valuePlace });
    }
  }
  return { state: 'ok', text, values, problems };
}

/**
 * Sets and, with `undefined`, removes settings. Comments and order stay; the file is replaced in one step,
 * so that a reader or a crash never sees half of it.
 *
 * @throws AgentError when the file is broken: writing would lose what a person wrote
 */
export function writeSettings(path: string, changes: ReadonlyMap<string, unknown>): void {
  const current = readSettingsFile(path);
  if (current.state === 'broken') {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `${formatConfigProblem(current.problems[0]!)}. Mend or remove the file first; nothing was written.`,
    );
  }
  writeFileAtomically(path, changed(current.state === 'ok' ? current.text : '', changes));
}

/** The text of a file without the values that are credentials: for a copy elsewhere. */
export function withoutSecrets({ text, values }: { text: string; values: readonly FileValue[] }): string {
  const secret = values.filter(({ key }) => settingDefinition(key)?.meta.secret === true);
  if (secret.length === 0) return text;
  return changed(text, new Map(secret.map(({ key }) => [key, undefined])));
}

function changed(text: string, changes: ReadonlyMap<string, unknown>): string {
  const document = parseDocument(text) as Document;
  document.contents ??= document.createNode({});
  for (const [key, value] of changes) {
    const [groupName = '', name = ''] = key.split('.');
    document.delete(key); // the one-line spelling
    const group = document.get(groupName);
    if (value === undefined) {
      if (isMap(group)) group.delete(name);
    } else if (isMap(group)) group.set(name, value);
    else document.set(groupName, document.createNode({ [name]: value }));
  }
  return document.toString();
}

/** @param mode of a new file; the old one is replaced, its mode does not matter */
export function writeFileAtomically(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true }); // of a crash; opening it would keep its mode
  const file = openSync(temporary, 'wx', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  } finally {
    closeSync(file);
  }
  replaceFile(temporary, path);
}

/** Edits that may turn a typo into a key: beyond this a suggestion is a guess. */
const MAX_TYPO_DISTANCE = 5;

export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (!best || best.edits > Math.min(MAX_TYPO_DISTANCE, Math.ceil(name.length / 2))) return undefined;
  return best.candidate;
}

function unknownKey(
  where: string,
  place: { line: number; column: number },
  key: string,
  candidates: readonly string[],
): ConfigProblem {
  const [group = ''] = key.split('.');
  const last = key.slice(group.length + 1);
  // `maxlevel` below the wrong group is nearer by its last part.
  const elsewhere = last && candidates.find((candidate) => candidate.endsWith(`.${last}`));
  const suggestion = elsewhere || nearest(key, candidates);
  return {
    severity: 'warning',
    where,
    ...place,
    key,
    message: `there is no setting \`${key}\`; it is ignored${suggestion ? `. Did you mean \`${suggestion}\`?` : ''}`,
  };
}
