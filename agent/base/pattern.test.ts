import { describe, expect, test } from 'vitest';
import {
  compilePattern,
  findAll,
  matches,
  MAX_PATTERN_CHARACTERS,
  MAX_SEARCHED_CHARACTERS,
  readPattern,
  readUrlPattern,
  requirePattern,
} from './pattern.ts';

const SLOW = requirePattern('^(a+)+$');
const SLOW_TEXT = `${'a'.repeat(40)}!`;

describe('patterns of scripts', () => {
  test.each<[string, string, boolean]>([
    ['^\\d+$', '12', true],
    ['(?i)^AB$', 'ab', true],
    ['(?P<n>a)\\Z', 'ba', true],
    ['(?<=€)\\d+(?!\\d)', '€42', true],
    ['(\\w)\\1', 'book', true],
    ['(\\w)\\1', 'bok', false],
    ['\\p{L}', 'é', false],
  ])('%s in %j: %s', async (pattern, text, expected) => {
    expect(await matches(requirePattern(pattern), text)).toBe(expected);
  });

  test('one of several texts is enough, whatever flags keep the place in the text before', async () => {
    expect(await matches(requirePattern('b', 'g'), ['ab', 'ab'])).toBe(true);
    expect(await matches(requirePattern('^b', 'gy'), ['a', 'a', 'b'])).toBe(true);
    expect(await matches(requirePattern('b'), [])).toBe(false);
  });

  test('all matches are found, by their first group, up to a number', async () => {
    const pattern = requirePattern('n(\\d)?', 'gm');
    expect(await findAll(pattern, ['n1 n', 'n2'], 10)).toEqual(['1', 'n', '2']);
    expect(await findAll(pattern, ['n1 n', 'n2'], 2)).toEqual(['1', 'n']);
  });

  test('what is none says so, and too long a one how long it may be', () => {
    expect(() => requirePattern('(')).toThrow(/^"\(" is not a regular expression: .*Unterminated group/);
    expect(() => readPattern('a'.repeat(MAX_PATTERN_CHARACTERS))).not.toThrow();
    for (const read of [readPattern, readUrlPattern]) {
      expect(() => read('a'.repeat(MAX_PATTERN_CHARACTERS + 1))).toThrow(
        'it has 10001 characters, and 10000 are the most',
      );
    }
  });
});

describe('patterns of addresses', () => {
  test.each<[string, string, boolean]>([
    ['/done\\?x=\\d/', 'http://a/done?x=1', true],
    ['/DONE/i', 'http://a/done', true],
    ['**/done', 'http://a/b/done', true],
    ['**/done', 'http://a/b/done?x', false],
    ['http://a/*', 'http://a/b', true],
    ['http://a/*', 'http://a/b/c', false],
    ['**/{one,two}.html', 'http://a/two.html', true],
    ['**/{one,two}.html', 'http://a/three.html', false],
    ['http://a/{*', 'http://a/{x', true],
    ['done?x', 'http://a/done?x=1', true],
    ['d.ne', 'http://a/done', false],
  ])('%s and %s: %s', async (pattern, url, expected) => {
    expect(await matches(readUrlPattern(pattern), url)).toBe(expected);
  });
});

describe('limits', () => {
  test('a pattern that takes too long is given up, and the next call is answered', async () => {
    await expect(matches(SLOW, SLOW_TEXT, { limitMs: 200 })).rejects.toThrow(
      'The pattern "^(a+)+$" took longer than 0.2 s on 41 characters.',
    );
    expect(await matches(requirePattern('a'), 'a')).toBe(true);
  });

  test('calls are answered in turn: one that waits does not use up its limit', async () => {
    const slow = matches(SLOW, SLOW_TEXT, { limitMs: 600 }).catch(() => 'given up');
    const next = matches(requirePattern('a'), 'a', { limitMs: 300 });
    expect(await Promise.all([slow, next])).toEqual(['given up', true]);
  });

  test('an aborted call ends at once, whether it is asked or still waits', async () => {
    const over = new AbortController();
    const reason = new Error('stop');
    const calls = [1, 2].map(() => matches(SLOW, SLOW_TEXT, { limitMs: 60_000, signal: over.signal }));
    setTimeout(() => over.abort(reason), 100);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    await expect(matches(SLOW, SLOW_TEXT, { signal: over.signal })).rejects.toBe(reason);
  });

  test('more text than is copied to a thread is refused', async () => {
    const text = 'x'.repeat(MAX_SEARCHED_CHARACTERS / 2 + 1);
    await expect(matches(requirePattern('a'), [text, text])).rejects.toThrow(
      /Name an element that holds less/,
    );
  });

  test('an expression for the page is JavaScript’s', () => {
    expect(compilePattern(readPattern('(?i)go')).flags).toBe('i');
  });
});
