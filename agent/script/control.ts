import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { loopNames } from './actions/control.ts';
import { InnerFailure, NEXT, type Done, type Failed, type Flow, type Frame } from './flow.ts';
import type { StepMeta } from './interpreter.ts';
import type { Condition, ControlStep, Step } from './schema.ts';
import { setOwn } from './variables.ts';

/** What a step with steps inside needs of the run around it. */
export interface ControlPorts {
  frame: Frame;
  meta: StepMeta;
  /** Runs one of the step's lists; `part` is its path inside the step. */
  inside: (steps: readonly Step[], part: string, frame: Frame) => Promise<Flow>;
  check: (condition: Condition) => Promise<boolean>;
  /** The resolved items of a loop. */
  loop: (step: ForEach) => Promise<{ items: JsonValue[]; limit: number | undefined }>;
}

type Try = Extract<ControlStep, { action: 'try' }>;
type ForEach = Extract<ControlStep, { action: 'for_each' }>;

/** Runs a step that steers others. Throws {@link InnerFailure} when one of them failed. */
export async function runControl(step: ControlStep, ports: ControlPorts): Promise<Done> {
  const { frame, inside, check } = ports;
  switch (step.action) {
    case 'sequence':
      return passOn(await inside(step.steps, 'steps', frame));
    case 'if': {
      const met = await check(step.condition);
      const branch = met ? 'then' : 'else';
      return passOn(await inside(step[branch], branch, frame), { condition: met });
    }
    case 'switch': {
      for (const [index, item] of step.cases.entries()) {
        if (await check(item.condition))
          return passOn(await inside(item.steps, `cases[${index}].steps`, frame), { case: index });
      }
      return passOn(await inside(step.default, 'default', frame), { case: 'default' });
    }
    case 'try':
      return runTry(step, ports);
    case 'for_each':
      return runForEach(step, ports);
  }
}

function passOn(flow: Flow, fields: JsonObject = {}): Done {
  if (flow.kind === 'failed') throw new InnerFailure(flow);
  return { flow, fields };
}

/** The first strategy whose steps work and whose `verify` holds. */
async function runTry(step: Try, { frame, meta, inside, check }: ControlPorts): Promise<Done> {
  const why: string[] = [];
  let last: Failed | undefined;
  for (const [index, strategy] of step.strategies.entries()) {
    const name = strategy.name ?? `strategy ${index + 1}`;
    const flow = await inside(strategy.steps, `strategies[${index}].steps`, frame);
    if (flow.kind === 'failed') {
      if (flow.final) throw new InnerFailure(flow);
      last = flow;
      why.push(`${name}: ${flow.error.message}`);
      continue;
    }
    // A jump or an end has left the strategy already: there is nothing here to verify.
    if (flow.kind !== 'next' || !strategy.verify || (await check(strategy.verify)))
      return { flow, fields: { strategy: name } };
    last = undefined;
    why.push(`${name}: its steps worked, but its "verify" does not hold`);
  }
  throw new AgentError(
    last?.error.errorName ?? 'BrowserAgent.StepFailed',
    `No strategy of "${meta.name}" worked. ${why.join(' | ')}`,
    { ...(last ? { cause: last.error } : {}), data: { ...last?.error.data, strategies: why } },
  );
}

/** Each item in turn; with `abort_on_error: false` past items that failed. */
async function runForEach(step: ForEach, { frame, inside, loop }: ControlPorts): Promise<Done> {
  const { items, limit } = await loop(step);
  const { variables } = frame.scope;
  const [itemName, indexName] = loopNames(step);
  const before = [itemName, indexName].map(
    (name) => [name, Object.hasOwn(variables, name) ? variables[name] : undefined] as const,
  );
  let failed: Failed | undefined;
  let finished = 0;
  const done = (flow: Flow): Done => ({ flow, fields: { items: items.length, finished } });
  try {
    for (const [index, item] of items.slice(0, limit).entries()) {
      setOwn(variables, itemName, item);
      setOwn(variables, indexName, index);
      const flow = await inside(step.steps, 'steps', { ...frame, inLoop: true });
      if (flow.kind === 'next') finished++;
      else if (flow.kind !== 'failed') return done(flow);
      else if (flow.final || flow.explicit || frame.script.abort_on_error) throw new InnerFailure(flow);
      else failed ??= flow;
    }
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete variables[name];
      else setOwn(variables, name, value);
    }
  }
  if (failed) throw new InnerFailure(failed);
  return done(NEXT);
}
