import type { Script, Step } from './schema.ts';
import { innerLists } from './steps.ts';

/**
 * A circle of scripts that include each other by names that stand in them, as the way round it: `a, b, a`.
 * Names that a template gives are known at run time only, and are looked at then.
 *
 * @param own the reference by which the script itself was asked for, if it was
 * @param load a script by its reference; undefined for one that cannot be read, which is another error
 */
export function findIncludeCycle(
  script: Script,
  own: string | undefined,
  load: (reference: string) => Script | undefined,
): string[] | undefined {
  /** No circle goes through these. */
  const cleared = new Set<string>();
  const visit = (current: Script, chain: readonly string[]): string[] | undefined => {
    for (const reference of new Set(includesOf(current.steps))) {
      const start = chain.indexOf(reference);
      if (start !== -1) return [...chain.slice(start), reference];
      if (cleared.has(reference)) continue;
      const included = load(reference);
      const cycle = included && visit(included, [...chain, reference]);
      if (cycle) return cycle;
      cleared.add(reference);
    }
    return undefined;
  };
  return visit(script, own === undefined ? [] : [own]);
}

function includesOf(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.action === 'include') return step.script.includes('{{') ? [] : [step.script];
    return innerLists(step).flatMap((inner) => includesOf(inner.steps));
  });
}
