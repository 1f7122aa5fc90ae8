import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Action } from '../script/schema.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { ProblemRing } from './problem-ring.ts';
import { slug, stepKey } from './slug.ts';
import { isPassive, stepKinds } from './step-kinds.ts';

const step = (action: string, more: object = {}) => ({
  stepNumber: 3,
  name: 'Search',
  action: action as Action,
  key: false,
  sensitive: false,
  ...more,
});
const frame = (wallTimeMs: number, bytes = 10) => ({
  jpeg: Buffer.alloc(bytes),
  wallTimeMs,
  monotonicMs: wallTimeMs,
});

describe('slug', () => {
  test('says the name in letters, digits and hyphens', () => {
    expect(slug('  Größe & Preis: Öl/25 ', 'x')).toBe('grosse-preis-ol-25');
  });

  test('is never empty, never long, and safe in any path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(slug(name, 'step')).toMatch(/^[a-z0-9][a-z0-9-]{0,39}$/);
      }),
    );
  });

  test('steps sort as they ran', () => {
    expect(stepKey(step('click'))).toBe('steps/003-search');
    expect(stepKey(step('click', { name: '検索', stepNumber: 12 }))).toBe('steps/012-click');
    expect(stepKey(step('検', { name: '検索' }))).toBe('steps/003-step');
  });
});

describe('stepKinds', () => {
  test('extraction and assertion are shown with data from INFO on', () => {
    expect(stepKinds(step('extract_dom'), false)).toEqual({
      picture: 'screenshot',
      html: 'step_html',
      data: 'data',
    });
  });

  test.each([
    ['navigation', step('navigate'), false],
    ['a person', step('human'), false],
    ['a click that led to another page', step('click'), true],
    ['what the script calls key', step('fill', { key: true }), false],
  ])('%s is a key step', (_name, given, navigated) => {
    expect(stepKinds(given, navigated)).toEqual({
      picture: 'key_screenshot',
      html: 'key_html',
      data: null,
    });
  });

  test('any other step is shown at TRACE', () => {
    expect(stepKinds(step('fill'), false).picture).toBe('step_screenshot');
  });

  test('only a step that looks or waits may start while a picture is taken', () => {
    expect(isPassive(step('wait_for_selector'))).toBe(true);
    expect(isPassive(step('execute_js'))).toBe(false);
    expect(isPassive(step('human'))).toBe(false);
  });
});

describe('FlightRecorder', () => {
  test('keeps the window, and what was in view when it began', () => {
    const flight = new FlightRecorder({ windowMs: 1000 });
    for (const at of [0, 400, 1500, 2000]) flight.onFrame(frame(at));
    expect(flight.window(2500).map(({ wallTimeMs }) => wallTimeMs)).toEqual([1500, 2000]);
    expect(flight.window(2600).map(({ wallTimeMs }) => wallTimeMs)).toEqual([1600, 2000]);
    expect(flight.window(9000).map(({ wallTimeMs }) => wallTimeMs)).toEqual([8000]);
  });

  test('is bounded in bytes, the oldest frames go first, the newest always stays', () => {
    const flight = new FlightRecorder({ windowMs: 1000, maxBytes: 25 });
    for (const at of [1, 2, 3]) flight.onFrame(frame(at));
    expect(flight.bytes).toBe(20);
    expect(flight.window(3).map(({ wallTimeMs }) => wallTimeMs)).toEqual([2, 3]);
    flight.onFrame(frame(4, 99));
    expect(flight.window(4)).toHaveLength(1);
    flight.clear();
    expect(flight.bytes).toBe(0);
    expect(flight.window(5)).toEqual([]);
  });
});

describe('ProblemRing', () => {
  test('repeats are counted, not stored, and long text is cut', () => {
    const ring = new ProblemRing();
    ring.add({ kind: 'console', text: 'x'.repeat(5000) }, 0);
    ring.add({ kind: 'network', text: '404', url: 'a' }, 1);
    ring.add({ kind: 'network', text: '404', url: 'a' }, 2);
    ring.add({ kind: 'network', text: '404', url: 'b' }, 3);
    expect(ring.list().map(({ times, text }) => [times, text.length])).toEqual([
      [1, 2000],
      [2, 3],
      [1, 3],
    ]);
    expect(ring.total).toBe(4);
    expect(ring.list()[0]!.at).toBe('1970-01-01T00:00:00.000Z');
  });

  test('only the last hundred stay', () => {
    const ring = new ProblemRing();
    for (let number = 0; number < 150; number += 1) ring.add({ kind: 'console', text: `${number}` }, 0);
    expect(ring.list()).toHaveLength(100);
    expect(ring.list()[0]!.text).toBe('50');
  });
});
