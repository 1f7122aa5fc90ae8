import { z } from 'zod';
import type { JsonValue } from '../../base/words.ts';
import type { Canon } from '../findings.ts';
import { definition } from './json-refs.ts';
import { AS_CANONICAL, type Form, type LeafTraits } from './traits.ts';

/** Actions that ask a person, start another step or script, or say where the run continues. */

/** Shown to the person when a `human` step has no message of its own. */
export const HUMAN_MESSAGE = 'Please finish this step in the browser, then press Resume.';

/** Shared by the steps that the run does without the page. */
const STEERS = {
  doneBy: 'run',
  duringCapture: 'runs',
  picture: 'step',
  isDelayed: false,
  whenHeld: 'finishes',
  time: 'usual',
  typedTexts: null,
} as const;

export const STEERING = {
  download: {
    doc: '`trigger` (a step; or a `locator` to click), `save_to`; the file becomes an artifact and its S3 URI a result',
    aliases: [],
    also: ['locator', 'escalation_chain'],
    canonical: triggerOf,
    written: { trigger: definition('Step') },
    fields: ({ f, trigger }) => ({
      /** The step that starts the download. */
      trigger,
      save_to: f.filled().optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'key',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  human: {
    doc: '`message`, `timeout`, `until` (a condition): asks the person, continues when they press Resume or the condition holds',
    ...AS_CANONICAL,
    aliases: ['wait_for_human'],
    fields: ({ f, condition }) => ({
      message: f.text().default(HUMAN_MESSAGE),
      until: condition.optional(),
    }),
    doneBy: 'run',
    duringCapture: 'waits',
    picture: 'key',
    isDelayed: false,
    whenHeld: 'passes',
    time: 'person',
    typedTexts: null,
  },
  fail: {
    doc: '`error`, `message`',
    ...STEERS,
    ...AS_CANONICAL,
    aliases: ['error'],
    fields: ({ f }) => ({
      error: f.filled().default('BrowserAgent.StepFailed'),
      message: f.text().optional(),
    }),
  },
  succeed: {
    doc: '`message`, `output`: ends the run there',
    ...STEERS,
    ...AS_CANONICAL,
    fields: ({ f }) => ({ message: f.text().optional(), output: f.json().optional() }),
  },
  include: {
    doc: '`script` (name@version or file), `variables`',
    ...STEERS,
    ...AS_CANONICAL,
    fields: ({ f }) => ({ script: f.filled(), variables: z.record(z.string(), f.json()).optional() }),
  },
  goto: {
    doc: '`target`: see below',
    ...STEERS,
    ...AS_CANONICAL,
    fields: ({ f }) => ({ target: f.filled() }),
  },
} as const satisfies Record<string, LeafTraits>;

/** A `download` that names an element is one whose trigger clicks it. */
function triggerOf(step: Canon, form: Form): void {
  const { locator, escalation_chain: chain } = step;
  delete step['locator'];
  delete step['escalation_chain'];
  if (step['trigger'] !== undefined) {
    step['trigger'] = form.step(step['trigger'] as JsonValue, [...form.path, 'trigger']);
  } else if (locator !== undefined || chain !== undefined) {
    step['trigger'] = {
      action: 'click',
      ...(chain === undefined ? { locator } : { escalation_chain: chain }),
    };
    form.findings.origin(step['trigger'] as object, form.path);
  }
}
