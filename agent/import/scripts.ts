/** Scripts of the earlier program: stored here as they are, word for word, under the names of their files. */
import { basename, dirname } from 'node:path';
import { parseScript, formatProblem } from '../script/parse.ts';
import { readSource } from '../script/source.ts';
import { changesOf } from './meaning.ts';
import type { Finding, ImportItem, ImportStatus, MeaningChange, Place } from './report.ts';

export interface ScriptContext {
  /** The text that is stored under this name, if any. */
  stored: (name: string) => string | undefined;
  store: (name: string, text: string) => void;
  /** Whether there is a profile of that name, after the import. */
  knowsProfile: (name: string) => boolean;
}

/** How many problems of one script a report lists; `validate` lists all. */
const MAX_PROBLEMS = 5;

/** @param names those that scripts of this import have already, with their texts */
export function readEarlierScript(
  file: string,
  text: string,
  names: Map<string, string>,
  context: ScriptContext,
): Finding {
  const read = readSource(text);
  const item = (status: ImportStatus, message: string, place: Partial<Place> = {}): ImportItem => ({
    kind: 'script',
    what: basename(file),
    from: { file, ...place },
    as: null,
    status,
    message,
    changes: [],
  });
  if (!read.ok) {
    return { item: item('failed', `${read.finding.message}. Mend it and import again.`, read.position) };
  }
  const { value } = read;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Array.isArray(value['steps'])) {
    const message =
      typeof value === 'object' && value !== null && 'tool_input' in value
        ? 'an input of a task, not a script. Save what stands in its "tool_input" as a file of its own and import again.'
        : 'no script: it has no "steps". Left where it is.';
    return { item: { ...item('by_hand', message), kind: 'file' } };
  }
  const parsed = parseScript(text);
  if (!parsed.ok) {
    const errors = parsed.problems.filter(({ severity }) => severity === 'error');
    const first = errors[0];
    const more =
      errors.length > MAX_PROBLEMS ? ` (and ${errors.length - MAX_PROBLEMS} more: validate lists all)` : '';
    const all = errors
      .slice(0, MAX_PROBLEMS)
      .map((problem) => formatProblem(problem))
      .join('; ');
    const place = first?.line === undefined ? {} : { line: first.line, column: first.column ?? 1 };
    return { item: item('failed', `${all}${more}. Correct it and import again.`, place) };
  }
  const name = nameFor(file, text, names);
  const changes: MeaningChange[] = [
    ...changesOf(value, read.locate, context.knowsProfile),
    ...parsed.warnings.map(({ path, line, column, message, suggestion }) => ({
      was: 'the earlier program said nothing',
      now: `warning: ${message}${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
      path,
      ...(line === undefined ? {} : { line, column: column ?? 1 }),
    })),
  ];
  const stored = context.stored(name);
  const twin = names.get(name) === text;
  names.set(name, text);
  if (stored === text || twin) {
    const message = twin
      ? `the same text as another script of this import: ${name}.`
      : `stored as ${name} already.`;
    return { item: { ...item('same', message), as: name, changes } };
  }
  if (stored !== undefined) {
    const message = `another script is stored as ${name}, and it stays. Rename ${file} and import again.`;
    return { item: { ...item('kept', message), as: name, changes } };
  }
  return {
    item: {
      ...item('taken', `stored as ${name}, word for word; tasks name it {"script": "${name}"}.`),
      as: name,
      changes,
    },
    take: {
      action: 'script.store',
      target: `script/${name}`,
      details: { imported_from: file },
      work: () => context.store(name, text),
    },
  };
}

/** Longest name before one of the folder is put in front; both together fit the library's limit. */
const MAX_NAME = 60;

/** The file's name; where another script of this import has that already, with its folder's in front. */
function nameFor(file: string, text: string, names: ReadonlyMap<string, string>): string {
  const own = clean(basename(file).replace(/\.json$/i, ''));
  const isFree = (name: string): boolean => !names.has(name) || names.get(name) === text;
  if (isFree(own)) return own;
  const withFolder = `${clean(basename(dirname(file)))}-${own}`;
  if (isFree(withFolder)) return withFolder;
  for (let n = 2; ; n += 1) if (isFree(`${withFolder}-${n}`)) return `${withFolder}-${n}`;
}

function clean(name: string): string {
  const plain = name
    .replaceAll(/[^\w .-]+/g, '-')
    .replace(/^\W+/, '')
    .slice(0, MAX_NAME)
    .replace(/[ .]+$/, '');
  return plain === '' ? 'script' : plain;
}
