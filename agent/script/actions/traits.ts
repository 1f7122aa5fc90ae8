import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../../base/words.ts';
import type { Canon, Findings } from '../findings.ts';
import type { Path } from '../problem.ts';
import type { Step } from '../schema.ts';
import type { Parts, StepParts } from './parts.ts';

/**
 * What every part of the program has to know about an action. The table of all actions (`index.ts`) has one
 * such entry each, and every list of actions elsewhere is derived from it. No trait has a default: a new
 * action does not compile until each of these questions has an answer.
 */
export interface ActionTraits {
  /** The action's own fields, for the table in docs/script-format.md. A test checks that none is missing. */
  doc: string;
  /** Other names of the action. */
  aliases: readonly Alias[];
  /** Keys that the parser accepts besides those of the canonical form; `canonical` turns them into those. */
  also: readonly string[];
  /**
   * Brings the action's own fields into the canonical form. Elements, conditions and lists that are given as
   * one value need nothing here: the parser knows them from their schema ({@link Parts}).
   */
  canonical: ((step: Canon, form: Form) => void) | null;
  /** JSON Schema of fields that may be written differently from their canonical form. */
  written: JsonObject;
  /** What the step may do while the picture of the step before is still being taken. */
  duringCapture: DuringCapture;
  /** What the picture taken after the step is evidence of. */
  picture: PictureOf;
  /** Whether `default_delay` stands before it. */
  isDelayed: boolean;
}

/** Another name of an action; with `when`, the name means this action only where that holds. */
export type Alias =
  | string
  | {
      name: string;
      when: (step: JsonObject) => boolean;
      /** The condition as text for people, e.g. "with a `url`". */
      words: string;
    };

/**
 * - `runs`: it does not change the page, or leaves that to steps inside it;
 * - `looks`: it looks at its element meanwhile, and awaits `recorder.beforeActing()` itself before it acts;
 * - `waits`: it starts when the picture is there.
 */
export type DuringCapture = 'runs' | 'looks' | 'waits';

/**
 * - `step`: shown at TRACE;
 * - `key`: navigation, sign-in, people, files: shown from DEBUG on;
 * - `data`: extraction: shown with its data from INFO on;
 * - `verification`: the same, and listed among the result's `verification_screenshots`.
 */
export type PictureOf = 'step' | 'key' | 'data' | 'verification';

/** Traits of an action without steps inside. */
export interface LeafTraits extends ActionTraits {
  /** `browser`: agent/runs/actions; `run`: the interpreter itself; `model`: nothing yet. */
  doneBy: 'browser' | 'run' | 'model';
  /** Schema of the action's own fields. */
  fields: (parts: Parts) => z.core.$ZodLooseShape;
  /** What becomes of the action when somebody pauses or takes over the run meanwhile. */
  whenHeld: WhenHeld | ((step: never) => WhenHeld);
  /** How long one attempt may take without a `timeout`. */
  time: OwnTime;
  /** The texts that the step types into the page: secret in a `sensitive` step, and never in an error. */
  typedTexts: ((step: never) => readonly string[]) | null;
}

/**
 * - `looks again`: it only looks at the page and waits. It goes on beside the person, who has the run at once,
 *   and looks once more afterwards;
 * - `passes`: only time passes. The person has the run at once;
 * - `stops`: it is stopped while it still waits for its element, and done once afterwards. Only for single pointer
 *   actions of Playwright, whose log says how far they got (`whenReady` in agent/runs/actions/element.ts);
 * - `finishes`: it is never stopped and never repeated. The person waits until it is over.
 */
export type WhenHeld = 'looks again' | 'passes' | 'stops' | 'finishes';

/** `usual`: the step time-out of the run; `person`: that of human steps; else milliseconds on top of the usual. */
export type OwnTime = 'usual' | 'person' | ((step: never) => number);

/** Traits of an action for which a model is needed. */
export interface ModelTraits extends LeafTraits {
  doneBy: 'model';
  /** The steps that do the same work without a model, for the error. */
  instead: string;
}

/** Traits of an action with steps inside; `S` is its step. */
export interface ControlTraits<S> extends ActionTraits {
  fields: (parts: StepParts) => z.core.$ZodLooseShape;
  /** Its lists of steps, with their paths inside the step. */
  lists: (step: S) => { steps: readonly Step[]; path: Path }[];
  /** Names of variables that only steps inside see. */
  defines: (step: S) => readonly string[];
}

/** What `canonical` works with. */
export interface Form {
  /** The step as written, and its place. */
  raw: JsonObject;
  path: Path;
  findings: Findings;
  /** Moves the value of an accepted key to the canonical one, unless that has a value. */
  rename: (step: Canon, from: string, to: string) => void;
  step(raw: JsonValue, path: Path): Canon;
  steps(raw: unknown, path: Path): unknown;
  condition(raw: JsonValue, path: Path): unknown;
  extraction(raw: JsonValue, path: Path): unknown;
}

/** A step that is written as in the canonical form. */
export const AS_CANONICAL = { aliases: [], also: [], canonical: null, written: {} } as const;
