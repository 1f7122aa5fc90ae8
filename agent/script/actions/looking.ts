import type { JsonValue } from '../../base/words.ts';
import { LOAD_STATES } from '../fields.ts';
import { definition } from './json-refs.ts';
import { AS_CANONICAL, type LeafTraits } from './traits.ts';

/** Actions that wait, read, record or check. */

/** What `wait` does when it says nothing, as in the earlier program, in milliseconds. */
const WAIT_MS = 1_000;

const ELEMENT_STATES = ['attached', 'detached', 'visible', 'hidden'] as const;

/** Shared by the steps that wait for something on the page. */
const WAITS = {
  doc: '`state`, `selector`, `pattern` (a glob, or `/…/` for a regular expression), `timeout`; a response also `status`, `method`',
  doneBy: 'browser',
  duringCapture: 'runs',
  picture: 'step',
  isDelayed: true,
  whenHeld: 'looks again',
  time: 'usual',
  typedTexts: null,
} as const;

export const LOOKING = {
  wait: {
    doc: '`duration` | `duration_range[min,max]` | `locator` + `state`, `timeout`',
    ...AS_CANONICAL,
    canonical: (step) => {
      if (['duration', 'duration_range', 'locator'].every((key) => step[key] === undefined))
        step['duration'] = WAIT_MS;
    },
    fields: ({ f, locator, range }) => ({
      duration: f.durationMs().optional(),
      duration_range: range.optional(),
      locator: locator.optional(),
      state: f.oneOf(ELEMENT_STATES).optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'step',
    isDelayed: true,
    whenHeld: (step: { locator?: unknown }) => (step.locator === undefined ? 'passes' : 'looks again'),
    time: (step: { duration?: number | undefined; duration_range?: [number, number] | undefined }) =>
      Math.max(step.duration ?? 0, ...(step.duration_range ?? [])),
    typedTexts: null,
  },
  wait_for_load_state: {
    ...WAITS,
    ...AS_CANONICAL,
    fields: ({ f }) => ({ state: f.oneOf(LOAD_STATES).default('load') }),
  },
  wait_for_selector: {
    ...WAITS,
    ...AS_CANONICAL,
    fields: ({ f, locator }) => ({ locator, state: f.oneOf(ELEMENT_STATES).default('visible') }),
  },
  wait_for_url: {
    ...WAITS,
    ...AS_CANONICAL,
    also: ['url'],
    canonical: (step, form) => form.rename(step, 'url', 'pattern'),
    fields: ({ urlPattern }) => ({ pattern: urlPattern }),
  },
  wait_for_response: {
    ...WAITS,
    ...AS_CANONICAL,
    fields: ({ f, urlPattern }) => ({
      pattern: urlPattern,
      status: f.integer(100, 599).optional(),
      method: f.text().optional(),
    }),
  },
  screenshot: {
    doc: '`save_to`, `full_page` (true), `locator`, `upload_to_s3`, `include_in_result`, `s3_prefix`',
    ...AS_CANONICAL,
    fields: ({ f, locator }) => ({
      save_to: f.filled().optional(),
      full_page: f.boolean().default(true),
      locator: locator.optional(),
      upload_to_s3: f.boolean().default(false),
      include_in_result: f.boolean().default(false),
      s3_prefix: f.text().optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  extract_dom: {
    doc: '`extractions[{name|field, strategy css|xpath|regex|table_cell|js|attribute, selector, xpath, pattern, attribute, table_selector, row_contains, column_header, expression, all, required, type, fallback_js}]`, `require` (`all`|`any`|`none`, default `any`)',
    aliases: [
      {
        name: 'extract',
        when: (step) =>
          step['method'] === 'dom' || (step['method'] === undefined && Boolean(step['extractions'])),
        words: 'with `method: dom`',
      },
    ],
    also: ['method'],
    canonical: (step, form) => {
      delete step['method'];
      if (Array.isArray(step['extractions']))
        step['extractions'] = step['extractions'].map((item: JsonValue, index) =>
          form.extraction(item, [...form.path, 'extractions', index]),
        );
    },
    written: { extractions: { type: 'array', minItems: 1, items: definition('Extraction') } },
    fields: ({ f, extractions }) => ({
      extractions,
      require: f.oneOf(['all', 'any', 'none']).default('any'),
    }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'data',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  extract_table: {
    doc: '`locator`…, `columns?`: rows as objects by header',
    ...AS_CANONICAL,
    fields: ({ f, element }) => ({ ...element, columns: f.strings().optional() }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'data',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  assert: {
    doc: '`condition`, `message`',
    ...AS_CANONICAL,
    fields: ({ f, condition }) => ({ condition, message: f.text().optional() }),
    doneBy: 'run',
    duringCapture: 'runs',
    picture: 'verification',
    isDelayed: false,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  execute_js: {
    doc: '`script` (an expression, or a body with `return`), `args`',
    ...AS_CANONICAL,
    fields: ({ f }) => ({ script: f.filled(), args: f.json().optional() }),
    doneBy: 'browser',
    duringCapture: 'waits',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  dialog: {
    doc: '`accept`, `prompt_text`: for the next dialog',
    ...AS_CANONICAL,
    fields: ({ f }) => ({ accept: f.boolean().default(true), prompt_text: f.text().optional() }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'step',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
  validate_profile: {
    doc: '`mode` static|runtime|both, `ui_condition`, `cookie_domains`, `cookie_names`, `local_storage_keys`',
    ...AS_CANONICAL,
    fields: ({ f, condition }) => ({
      mode: f.oneOf(['static', 'runtime', 'both']).default('static'),
      ui_condition: condition.optional(),
      /** The earlier program asked a model this question. */
      ui_prompt: f.text().optional(),
      cookie_domains: f.strings().optional(),
      cookie_names: f.strings().optional(),
      local_storage_keys: f.strings().optional(),
    }),
    doneBy: 'browser',
    duringCapture: 'runs',
    picture: 'verification',
    isDelayed: true,
    whenHeld: 'finishes',
    time: 'usual',
    typedTexts: null,
  },
} as const satisfies Record<string, LeafTraits>;
