import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../base/words.ts';
import { CAUSE_MAX_CHARS, causeText, errorNameText } from './cause.ts';

describe('the cause of a failed task', () => {
  test('is sent as it is while it fits', () => {
    const cause = { run_id: 'r', step: 3, message: 'no such button', data: { tried: ['#a', '#b'] } };
    expect(JSON.parse(causeText(cause))).toEqual(cause);
  });

  test('keeps its keys and short values when a long one is cut', () => {
    const cause = {
      run_id: 'r1',
      step: 3,
      name: 'Search',
      message: 'short',
      data: { html: 'x'.repeat(100_000) },
    };
    const cut = JSON.parse(causeText(cause)) as typeof cause & { cut_from_chars: number };
    expect(cut).toMatchObject({ run_id: 'r1', step: 3, name: 'Search', message: 'short' });
    expect(cut.data.html).toMatch(/^x{7000,}… \(100000 characters\)$/);
    expect(cut.cut_from_chars).toBeGreaterThan(100_000);
  });

  test('is valid JSON within the limit whatever it holds, and names its run', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60_000, size: 'max' });
    const json = fc.jsonValue({ depthSize: 'large', noUnicodeString: false });
    const big = fc.array(fc.string({ unit: 'binary', maxLength: 4_000, size: 'max' }), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(text, json, big, fc.dictionary(text, json, { maxKeys: 3 }), (message, data, many, odd) => {
        const sent = causeText({
          ...(odd as JsonObject),
          run_id: 'the-run',
          message,
          data: [data as never, many],
        });
        expect(sent.length).toBeLessThanOrEqual(CAUSE_MAX_CHARS);
        expect(sent.isWellFormed()).toBe(true);
        expect(JSON.parse(sent)).toMatchObject({ run_id: 'the-run' });
      }),
      { numRuns: 25 },
    );
  });

  test('names its run even when a thousand long keys must go', () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`${'k'.repeat(500)}${index}`, ['v'.repeat(500)]]),
    );
    const sent = causeText({ data: { ...many, deep: { many } }, run_id: 'the-run', ...many });
    expect(sent.length).toBeLessThanOrEqual(CAUSE_MAX_CHARS);
    expect(JSON.parse(sent)).toMatchObject({ run_id: 'the-run' });
  });

  test('an error name is cut to 256 characters and never empty', () => {
    expect(errorNameText('E'.repeat(300))).toHaveLength(256);
    expect(errorNameText('')).toBe('BrowserAgent.Internal');
  });
});
