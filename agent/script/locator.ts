import { z } from 'zod';
import type { Fields } from './fields.ts';

export const LOCATOR_STRATEGIES = [
  'selector',
  'text',
  'xpath',
  'role',
  'label',
  'placeholder',
  'test_id',
  'coordinates',
  'form_field',
] as const;

/** Which element: one object per strategy. */
export function makeLocator(f: Fields) {
  const where = {
    /** Zero-based choice among several matches; negative counts from the last. */
    nth: f.integer(-10_000, 10_000).optional(),
    /** Frames to enter, outermost first: a CSS selector, a frame's name, or part of its URL. */
    frame: z.array(f.filled()).optional(),
  };
  const value = f.filled();
  const exact = f.boolean().optional();
  return z.discriminatedUnion('strategy', [
    z.object({ strategy: z.literal('selector'), value, ...where }),
    z.object({ strategy: z.literal('text'), value, exact, ...where }),
    z.object({ strategy: z.literal('xpath'), value, ...where }),
    z.object({
      strategy: z.literal('role'),
      /** The ARIA role, e.g. `button`. */
      value,
      /** Accessible name. */
      name: f.text().optional(),
      exact,
      /** The value as written when it was also CSS (`button[name='Go']`): the earlier program used it so. */
      css: f.text().optional(),
      ...where,
    }),
    z.object({ strategy: z.literal('label'), value, exact, ...where }),
    z.object({ strategy: z.literal('placeholder'), value, exact, ...where }),
    z.object({ strategy: z.literal('test_id'), value, ...where }),
    /** CSS pixels from the viewport's top left corner. */
    z.object({ strategy: z.literal('coordinates'), x: f.number(), y: f.number() }),
    z.object({
      strategy: z.literal('form_field'),
      /** The visible label. */
      label: f.filled(),
      field_type: f.oneOf(['input', 'textarea', 'select']).optional(),
      exact,
      ...where,
    }),
  ]);
}

export type Locator = z.infer<ReturnType<typeof makeLocator>>;
