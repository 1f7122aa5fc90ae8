import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { canonicalScript } from './canonical.ts';
import { Findings, isPlainObject, reportedStep, typeName } from './findings.ts';
import { checkScript } from './checks.ts';
import { didYouMean, formatPath, type Finding, type Path, type Problem } from './problem.ts';
import { lenientSchemas, type Script } from './schema.ts';
import { readSource } from './source.ts';

export { formatProblem, type Problem } from './problem.ts';

export type ParseResult =
  | { ok: true; script: Script; warnings: Problem[] }
  | { ok: false; problems: Problem[] };

export interface ParseOptions {
  /** The variables a run is given, when they are known: they are defined, whatever the script declares. */
  variables?: JsonObject | readonly string[];
}

/**
 * Reads a script from JSON text or an already parsed value, and checks all that can be known without a
 * browser. Never throws; a script that is not in order comes back as problems with paths, and with lines
 * when it came as text.
 */
export function parseScript(source: unknown, options: ParseOptions = {}): ParseResult {
  const read = readSource(source);
  if (!read.ok) return { ok: false, problems: [problemOf(read.finding, () => read.position)] };
  const { value, locate } = read;
  const findings = new Findings();
  const found = (): Problem[] => inOrder(findings.list.map((finding) => problemOf(finding, locate)));
  if (!isPlainObject(value)) {
    findings.error([], `a script must be an object, and this is ${typeName(value)}`);
    return { ok: false, problems: found() };
  }

  const canonical = canonicalScript(value, findings);
  const written = (path: Path): Path => findings.writtenPath(canonical, path);
  const parsed = lenientSchemas.script.safeParse(canonical);
  const issues = parsed.error?.issues ?? [];
  for (const issue of issues) explainIssue(issue, canonical, findings, written);
  const script = parsed.data ?? salvage(canonical, issues);
  const given = options.variables;
  const names = given === undefined ? undefined : Array.isArray(given) ? given : Object.keys(given);
  if (script) checkScript(script, names, findings, written);
  if (script && !findings.hasErrors) return { ok: true, script, warnings: found() };
  const problems = found();
  const isWarning = ({ severity }: Problem): boolean => severity === 'warning';
  const errors = problems.filter((problem) => !isWarning(problem));
  const more = unlisted(findings.unlistedErrors);
  return { ok: false, problems: [...errors, ...more, ...problems.filter(isWarning)] };
}

/** Says that there are more errors than are listed. */
function unlisted(count: number): Problem[] {
  if (count === 0) return [];
  const message = `${count} more ${count === 1 ? 'error is' : 'errors are'} not listed; fix those above and check again`;
  return [{ severity: 'error', path: formatPath([]), message }];
}

function problemOf(
  finding: Finding,
  locate: (path: Path) => { line: number; column: number } | undefined,
): Problem {
  const { suggestion } = finding;
  return {
    severity: finding.severity,
    path: formatPath(finding.path),
    ...locate(finding.path),
    message: finding.message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** Errors first, then by where they stand. */
function inOrder(problems: Problem[]): Problem[] {
  const rank = (problem: Problem): number => (problem.severity === 'error' ? 0 : 1);
  return problems.toSorted(
    (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

type Issue = z.core.$ZodIssue;

/**
 * The script without the parts that are already reported, so that one look shows every problem; nothing
 * when too little is left.
 */
function salvage(canonical: unknown, issues: readonly Issue[]): Script | undefined {
  const copy = structuredClone(canonical) as Record<string, unknown>;
  for (const issue of issues) {
    let parent: unknown = copy;
    let replace: (() => void) | undefined;
    for (const part of issue.path as (string | number)[]) {
      if (typeof parent !== 'object' || parent === null) break;
      const holder = parent as Record<string | number, unknown>;
      const node = holder[part];
      if (isPlainObject(node) && typeof node['action'] === 'string') {
        replace = () => {
          holder[part] = reportedStep(node);
        };
      }
      parent = node;
    }
    if (replace) replace();
    else delete copy[String(issue.path[0])];
  }
  return lenientSchemas.script.safeParse({ name: 'unnamed', ...copy }).data;
}

/** A schema's complaint in a person's words, at the place in the script as written. */
function explainIssue(
  issue: Issue,
  root: unknown,
  findings: Findings,
  written: (path: Path) => Path,
  prefix: Path = [],
): void {
  const path = [...prefix, ...(issue.path as (string | number)[])];
  const value = valueAt(root, path);
  const at = written(path);
  const name = formatPath(path.slice(-1)).replace(/^\$\.?/, '');
  switch (issue.code) {
    case 'invalid_union': {
      // A value or a template, or several shapes: the first shape is the usual one.
      const [usual] = issue.errors;
      const first = usual?.[0];
      if (usual && first) {
        for (const inner of usual) explainIssue(inner, root, findings, written, path);
        return;
      }
      findings.error(at, issue.message);
      return;
    }
    case 'invalid_type':
      if (value === undefined) findings.error(at, `"${name}" is missing`);
      else findings.error(at, `"${name}" must be ${article(issue.expected)}, not ${typeName(value)}`);
      return;
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      findings.error(
        at,
        value === undefined
          ? `"${name}" is missing`
          : `"${name}" must be ${allowed.length === 1 ? '' : 'one of '}${allowed.join(', ')}, not ${JSON.stringify(value)}`,
        () => (typeof value === 'string' ? didYouMean(value, allowed) : undefined),
      );
      return;
    }
    case 'too_small':
      findings.error(
        at,
        issue.origin === 'string' || issue.origin === 'array'
          ? `"${name}" must not be empty`
          : `"${name}" must be at least ${issue.minimum}`,
      );
      return;
    case 'too_big':
      findings.error(at, `"${name}" must be at most ${issue.maximum}`);
      return;
    default:
      findings.error(at, `"${name}": ${issue.message}`);
  }
}

function article(expected: string): string {
  switch (expected) {
    case 'array':
    case 'tuple':
      return 'a list';
    case 'object':
    case 'record':
      return 'an object';
    case 'int':
      return 'a whole number';
    default:
      return `a ${expected}`;
  }
}

function valueAt(root: unknown, path: Path): JsonValue | undefined {
  let node = root as JsonValue | undefined;
  for (const part of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<string | number, JsonValue>)[part];
  }
  return node;
}
