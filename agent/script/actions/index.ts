import type { z } from 'zod';
import type { ControlStep } from '../schema.ts';
import { ACTING } from './acting.ts';
import { CONTROL } from './control.ts';
import { LOOKING } from './looking.ts';
import { MODEL } from './model.ts';
import type { makeStepBase } from './parts.ts';
import { STEERING } from './steering.ts';
import type { ActionTraits, LeafTraits, OwnTime, WhenHeld } from './traits.ts';

/**
 * The table of all actions. Types, schemas, parser, interpreter, recorder, JSON Schema and documentation take
 * what they know about an action from here; CONTRIBUTING.md describes how to add one.
 */

const ROWS = { ...ACTING, ...LOOKING, ...STEERING, ...MODEL };

type Rows = typeof ROWS;
/** An action without steps inside. */
export type LeafAction = keyof Rows;
export type ControlAction = ControlStep['action'];
export type Action = LeafAction | ControlAction;

type DoneBy<Who extends LeafTraits['doneBy']> = {
  [A in LeafAction]: Rows[A]['doneBy'] extends Who ? A : never;
}[LeafAction];
/** Done in the page, by agent/runs/actions. */
export type BrowserAction = DoneBy<'browser'>;
/** Done by the interpreter. */
export type RunAction = DoneBy<'run'>;
export type ModelAction = DoneBy<'model'>;

type StepShape<A extends string, Fields extends z.core.$ZodLooseShape> = z.core.util.Flatten<
  { action: z.ZodLiteral<A> } & ReturnType<typeof makeStepBase> & Fields
>;
type StepsOf<Table extends Record<string, LeafTraits>> = {
  [A in keyof Table & string]: z.infer<z.ZodObject<StepShape<A, ReturnType<Table[A]['fields']>>>>;
};
/** Any step without steps inside. */
export type LeafStep = StepsOf<Rows>[LeafAction];
/** What may start a download. */
export type TriggerStep = StepsOf<typeof ACTING & typeof LOOKING>[keyof (typeof ACTING & typeof LOOKING)];

/** The traits of one action, whose functions take its steps. */
type TraitsOf<Step> = Omit<LeafTraits, 'whenHeld' | 'time' | 'typedTexts'> & {
  whenHeld: WhenHeld | ((step: Step) => WhenHeld);
  time: Exclude<OwnTime, (step: never) => number> | ((step: Step) => number);
  typedTexts: ((step: Step) => readonly string[]) | null;
};

/** All actions without steps inside, in the order of the documentation. */
export const LEAF_TRAITS: { readonly [A in LeafAction]: TraitsOf<StepsOf<Rows>[A]> } = ROWS;
export const MODEL_TRAITS = MODEL;
export const CONTROL_TRAITS = CONTROL;
export const ACTION_TRAITS: Readonly<Record<Action, ActionTraits>> = { ...ROWS, ...CONTROL };

const names = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];

export const LEAF_ACTIONS = names(LEAF_TRAITS);
export const CONTROL_ACTIONS = names(CONTROL_TRAITS);
export const MODEL_ACTIONS = names(MODEL_TRAITS);
export const ACTIONS = names(ACTION_TRAITS);
/** Actions that may start a download. */
export const TRIGGER_ACTIONS = names({ ...ACTING, ...LOOKING });

export function isAction(name: string): name is Action {
  return Object.hasOwn(ACTION_TRAITS, name);
}

export function isControlAction(name: string): name is ControlAction {
  return Object.hasOwn(CONTROL_TRAITS, name);
}

export function isModelAction(name: string): name is ModelAction {
  return Object.hasOwn(MODEL_TRAITS, name);
}

/** Names that always mean the same action. */
const ALIASES: ReadonlyMap<string, Action> = new Map(
  ACTIONS.flatMap((action) =>
    ACTION_TRAITS[action].aliases.flatMap((alias) =>
      typeof alias === 'string' ? [[alias, action] as const] : [],
    ),
  ),
);

/** All names under which a script may ask for an action. */
export const ACTION_NAMES: readonly string[] = [...ACTIONS, ...ALIASES.keys()];

/** Names that always mean this action, its own first. */
export function namesOf(action: Action): readonly string[] {
  const always = ACTION_TRAITS[action].aliases.filter((alias) => typeof alias === 'string');
  return [action, ...always];
}

/** Names that mean another action in some steps, with that action. */
const CONDITIONAL = ACTIONS.flatMap((action) =>
  ACTION_TRAITS[action].aliases.flatMap((alias) => (typeof alias === 'string' ? [] : [{ ...alias, action }])),
);

/** The action that a step asks for by this name, or undefined. */
export function actionNamed(
  name: string,
  step: Parameters<(typeof CONDITIONAL)[number]['when']>[0],
): Action | undefined {
  const conditional = CONDITIONAL.find((alias) => alias.name === name && alias.when(step));
  if (conditional) return conditional.action;
  return isAction(name) ? name : ALIASES.get(name);
}

/** What becomes of a step when somebody pauses or takes over the run meanwhile. */
export function whenHeld(step: LeafStep): WhenHeld {
  const { whenHeld: trait } = traitsOf(step);
  return typeof trait === 'function' ? trait(step) : trait;
}

/** The texts that a step types into the page. */
export function typedTexts(step: LeafStep): readonly string[] {
  return traitsOf(step).typedTexts?.(step) ?? [];
}

/** The step's row; its functions take that step. */
export function traitsOf<S extends LeafStep>(step: S): TraitsOf<S> {
  return LEAF_TRAITS[step.action] as unknown as TraitsOf<S>;
}
