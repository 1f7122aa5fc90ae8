import { readPattern, readSlashed, readUrlPattern } from '../base/pattern.ts';
import type { JsonValue } from '../base/words.ts';
import { isAction } from './actions/index.ts';
import { CONDITION_TRAITS, isConditionType } from './condition.ts';
import { fieldKinds } from './field-kinds.ts';
import type { Findings } from './findings.ts';
import { didYouMean, type Path } from './problem.ts';
import type { Script, Step } from './schema.ts';
import { STARTING_PAGE, definedInside, innerLists } from './steps.ts';
import { referencesIn, type Reference } from './templates.ts';

/**
 * What can be known to go wrong without a browser: jumps to steps that are not there, names that no one
 * defines, regular expressions that are none. Paths given to the findings are paths as written.
 */
export function checkScript(
  script: Script,
  given: readonly string[] | undefined,
  findings: Findings,
  written: (path: Path) => Path,
): void {
  const all: Entry[] = [];
  collect(script.steps, ['steps'], [], [], all);
  const checks = new Checks(script, given, all, findings, written);
  checks.run();
}

/** A step, the lists around it (innermost first), and the names that loops around it define. */
interface Entry {
  step: Step;
  path: Path;
  lists: readonly (readonly Step[])[];
  loopNames: readonly string[];
}

class Checks {
  readonly #script: Script;
  readonly #all: readonly Entry[];
  readonly #findings: Findings;
  readonly #written: (path: Path) => Path;
  readonly #defined: Set<string>;
  /** A script that declares variables declares all of them; else the task may give any. */
  readonly #closed: boolean;
  /** By what results are called: the name, else the description. */
  readonly #stepNames: Set<string>;
  /** A template in a step's name may become any name. */
  readonly #anyStepName: boolean;
  readonly #jumpNames: Set<string>;
  readonly #namesByList = new Map<readonly Step[], Map<string, Step[]>>();
  readonly #includes: boolean;

  constructor(
    script: Script,
    given: readonly string[] | undefined,
    all: readonly Entry[],
    findings: Findings,
    written: (path: Path) => Path,
  ) {
    this.#script = script;
    this.#all = all;
    this.#findings = findings;
    this.#written = written;
    const declared = Object.keys(script.variables);
    const saved = all.flatMap(({ step }) => step.save_as ?? []);
    this.#defined = new Set([...declared, ...saved, ...(given ?? [])]);
    this.#closed = declared.length > 0;
    this.#stepNames = new Set(all.flatMap(({ step }) => [step.name ?? step.description ?? []].flat()));
    this.#stepNames.add(STARTING_PAGE);
    this.#anyStepName = [...this.#stepNames].some((name) => name.includes('{{'));
    this.#jumpNames = new Set(all.flatMap(({ step }) => step.name ?? []));
    this.#includes = all.some(({ step }) => step.action === 'include');
  }

  run(): void {
    const { starting_page, output, session, variables } = this.#script;
    this.#strings({ starting_page, output }, [], []);
    // The one part of the session that is looked at after the browser is there.
    const { post_login_verification: verification, ...chosenBefore } = session ?? {};
    this.#strings(verification, ['session', 'post_login_verification'], []);
    this.#patterns(verification, ['session', 'post_login_verification']);
    eachString(chosenBefore, ['session'], (text, at) => {
      if (referencesIn(text).length > 0)
        this.#findings.warn(
          () => this.#written(at),
          'templates are not resolved here: the browser is chosen before the first step',
        );
    });
    for (const [name, spec] of Object.entries(variables)) {
      if (spec.pattern !== undefined)
        this.#pattern(spec.pattern, readPattern, ['variables', name, 'pattern']);
    }
    const reported = new Set<Step>();
    for (const entry of this.#all) {
      const { step, path, loopNames } = entry;
      const inner = listsInside(step);
      this.#strings(step, path, loopNames, inner);
      this.#patterns(step, path, inner);
      if (step.next !== undefined) this.#target(step.next, [...path, 'next'], entry, reported);
      if (step.action === 'goto') this.#target(step.target, [...path, 'target'], entry, reported);
    }
  }

  #target(name: string, path: Path, entry: Entry, reported: Set<Step>): void {
    if (name.includes('{{')) return;
    for (const list of entry.lists) {
      const matches = this.#namesIn(list).get(name) ?? [];
      const [, second] = matches;
      if (second && !reported.has(second)) {
        reported.add(second);
        this.#findings.error(() => {
          const twin = this.#all.find(({ step }) => step === second);
          return this.#written([...(twin?.path ?? path), 'name']);
        }, `the name "${name}" is used twice in one list of steps, and it is jumped to; rename one of them`);
      }
      if (matches.length > 0) return;
    }
    this.#findings.error(
      () => this.#written(path),
      this.#jumpNames.has(name)
        ? `the step "${name}" stands inside another step; a jump reaches only steps of its own list and of the lists around it`
        : `there is no step named "${name}" to jump to`,
      () =>
        didYouMean(
          name,
          entry.lists.flatMap((list) => [...this.#namesIn(list).keys()]),
        ),
    );
  }

  #namesIn(list: readonly Step[]): Map<string, Step[]> {
    const known = this.#namesByList.get(list);
    if (known) return known;
    const names = Map.groupBy(
      list.filter((step) => step.name !== undefined),
      (step) => step.name!,
    );
    this.#namesByList.set(list, names);
    return names;
  }

  #strings(value: unknown, path: Path, loopNames: readonly string[], inner?: ReadonlySet<unknown>): void {
    const visit = (text: string, at: Path): void => {
      for (const { reference, written } of referencesIn(text))
        this.#reference(reference, written, at, loopNames);
    };
    eachString(value, path, visit, inner);
  }

  #reference(reference: Reference, written: string, path: Path, loopNames: readonly string[]): void {
    if (reference.kind === 'variable') {
      const [name = ''] = reference.path;
      if (this.#defined.has(name) || loopNames.includes(name) || STEP_DATA.test(name)) return;
      const suggest = () => didYouMean(name, [...loopNames, ...this.#defined]);
      const at = () => this.#written(path);
      if (this.#closed) this.#findings.error(at, `${written} is not defined`, suggest);
      else this.#findings.warn(at, `${written} is not defined in the script; the task must give it`, suggest);
    } else if (reference.kind === 'steps' && !this.#includes) {
      const parts = reference.rest.split('.');
      const known = parts.some((_, index) => this.#stepNames.has(parts.slice(0, index + 1).join('.')));
      if (known || this.#anyStepName) return;
      this.#findings.error(
        () => this.#written(path),
        `${written} names no step of this script`,
        () => didYouMean(parts[0] ?? '', this.#stepNames),
      );
    }
  }

  #patterns(value: unknown, path: Path, inner?: ReadonlySet<unknown>): void {
    const visit = (object: Plain, at: Path): void => {
      for (const [key, read] of patternsOf(object)) {
        const text = object[key];
        if (typeof text === 'string') this.#pattern(text, read, [...at, key]);
      }
    };
    eachObject(value, path, visit, inner);
  }

  #pattern(text: string, read: Read, path: Path): void {
    if (text.includes('{{')) return;
    try {
      read(text);
    } catch (thrown) {
      this.#findings.error(
        () => this.#written(path),
        `not a regular expression: ${(thrown as Error).message}`,
      );
    }
  }
}

/** The earlier program's names for the data of top-level steps. */
const STEP_DATA = /^step_\d+_data$/;

type Plain = Record<string, unknown>;

type Read = (text: string) => unknown;

/** The fields of an object of a script that hold regular expressions, and how each is read when it is used. */
function patternsOf(object: Plain): readonly (readonly [string, Read])[] {
  const { type, strategy, action } = object;
  if (isConditionType(type)) return CONDITION_TRAITS[type].patterns.map((key) => [key, readPattern]);
  if (strategy === 'regex') return [['pattern', readPattern]];
  if (strategy === 'role') return [['name', readIfSlashed]];
  if (typeof action !== 'string' || !isAction(action)) return [];
  return fieldKinds(action).urlPatterns.map((key) => [key, readUrlPattern]);
}

function readIfSlashed(text: string): void {
  const slashed = readSlashed(text);
  if (slashed) readPattern(slashed.source, slashed.flags);
}

function collect(
  steps: readonly Step[],
  path: Path,
  outer: Entry['lists'],
  loopNames: readonly string[],
  all: Entry[],
): void {
  const lists = [steps, ...outer];
  for (const [index, step] of steps.entries()) {
    const at = [...path, index];
    all.push({ step, path: at, lists, loopNames });
    const names = [...loopNames, ...definedInside(step)];
    for (const inner of innerLists(step)) collect(inner.steps, [...at, ...inner.path], lists, names, all);
  }
}

/** Visits every string in the value, except in lists of steps that stand inside a step. */
function eachString(
  value: unknown,
  path: Path,
  visit: (text: string, path: Path) => void,
  inner: ReadonlySet<unknown> = NONE,
): void {
  if (typeof value === 'string') visit(value, path);
  else if (typeof value === 'object' && value !== null && !inner.has(value))
    for (const [key, child] of entriesOf(value)) eachString(child, [...path, key], visit, inner);
}

function eachObject(
  value: unknown,
  path: Path,
  visit: (object: Plain, path: Path) => void,
  inner: ReadonlySet<unknown> = NONE,
): void {
  if (typeof value !== 'object' || value === null || inner.has(value)) return;
  if (!Array.isArray(value)) visit(value as Plain, path);
  for (const [key, child] of entriesOf(value)) eachObject(child, [...path, key], visit, inner);
}

const NONE: ReadonlySet<unknown> = new Set();

/** The lists of steps right inside a step, for {@link eachString} and {@link eachObject}. */
function listsInside(step: Step): ReadonlySet<unknown> {
  const lists = innerLists(step);
  return lists.length === 0 ? NONE : new Set(lists.map(({ steps }) => steps));
}

function entriesOf(value: object): [string | number, JsonValue][] {
  return Array.isArray(value) ? [...(value as JsonValue[]).entries()] : Object.entries(value);
}
