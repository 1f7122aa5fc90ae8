import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../base/words.ts';
import { Redactor } from './redaction.ts';

/** Values as people have them: at least four characters, no white space at the ends. */
const secrets = fc
  .string({ unit: 'grapheme', minLength: 4, maxLength: 40 })
  .filter((value) => value.trim() === value && value.length >= 4);
const texts = fc.string({ unit: 'grapheme', maxLength: 30 });

const html = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const url = (text: string): string => encodeURIComponent(text.toWellFormed());
const form = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);

describe('Redactor', () => {
  test.each<[string, (text: string) => string]>([
    ['as it is', (text) => text],
    ['URL-encoded', url],
    ['as a form sends it', form],
    ['JSON-escaped', json],
    ['HTML-escaped', html],
    ['JSON within JSON', (text) => json(json(text))],
    ['HTML within JSON', (text) => json(html(text))],
    ['URL-encoded JSON', (text) => url(json(text))],
  ])('a planted value never survives %s', (_name, encode) => {
    fc.assert(
      fc.property(secrets, texts, texts, (secret, before, after) => {
        const redactor = new Redactor({ values: [secret] });
        const { text, masked } = redactor.redactTextCounted(before + encode(secret) + after);
        expect(text).not.toContain(encode(secret));
        expect(text).not.toContain(secret);
        expect(redactor.contains(text)).toBe(false);
        expect(masked).toBeGreaterThan(0);
        expect(redactor.count).toBe(masked);
      }),
    );
  });

  test('a planted value never survives base64, wherever it starts in the encoded bytes', () => {
    const longer = secrets.filter((value) => Buffer.byteLength(value) >= 6);
    fc.assert(
      fc.property(longer, texts, texts, fc.constantFrom('base64', 'base64url'), (secret, a, b, encoding) => {
        const redactor = new Redactor({ values: [secret] });
        const encoded = Buffer.from(a + secret + b).toString(encoding as 'base64');
        const decoded = Buffer.from(redactor.redactText(encoded).replaceAll('[masked]', ''), 'base64');
        expect(redactor.redactText(encoded)).not.toBe(encoded);
        expect(decoded.toString('utf8')).not.toContain(secret);
      }),
    );
  });

  test('a planted value survives nowhere in JSON, and the JSON keeps its shape', () => {
    fc.assert(
      fc.property(secrets, fc.jsonValue({ maxDepth: 3 }), texts, (secret, value, name) => {
        const redactor = new Redactor({ values: [secret] });
        const planted = { list: [value, secret, { [`${name}${secret}`]: `x${secret}y` }] } as JsonValue;
        const { value: redacted, masked } = redactor.redactJsonCounted(planted);
        expect(JSON.stringify(redacted)).not.toContain(json(secret));
        expect(masked).toBeGreaterThanOrEqual(3);
        expect(Object.keys(redacted as object).length).toBe(1);
      }),
    );
  });

  test('text without the value stays as it is', () => {
    const redactor = new Redactor({ values: ['harbour-lights'] });
    expect(redactor.redactTextCounted('harbour light')).toEqual({ text: 'harbour light', masked: 0 });
    expect(new Redactor().redactTextCounted('x')).toEqual({ text: 'x', masked: 0 });
    expect(new Redactor().redactJson({ a: [1, null, true] })).toEqual({ a: [1, null, true] });
  });

  test('basic authentication is found though the user name stands before the password', () => {
    const redactor = new Redactor({ values: ['harbour-lights'] });
    const header = `Basic ${Buffer.from('demo:harbour-lights').toString('base64')}`;
    expect(redactor.redactText(header)).toMatch(/^Basic \w+\[masked\]/);
  });

  test('a short value is masked only where it stands alone as a string', () => {
    const redactor = new Redactor({ values: ['42'] });
    expect(redactor.redactText('room 42, 420 guests')).toBe('room 42, 420 guests');
    expect(redactor.redactText('42')).toBe('[masked]');
    expect(redactor.redactJson({ pin: '42', step: 42, '42': 'x' })).toEqual({
      pin: '[masked]',
      step: 42,
      '42': 'x',
    });
    expect(redactor.contains('42')).toBe(true);
  });

  test('a number made of the digits of a value is masked, unless it is one of the times to keep', () => {
    const redactor = new Redactor({ values: ['1234'] });
    expect(redactor.redactJson({ amount: 51_234, other: 7 })).toEqual({ amount: '5[masked]', other: 7 });
    const kept = redactor.redactJsonCounted({ time: 51_234 }, { keepNumbers: new Set(['time']) });
    expect(kept).toEqual({ value: { time: 51_234 }, masked: 0 });
    expect(redactor.redactJson({ other: 99_999 })).toEqual({ other: 99_999 });
  });

  test('white space around a value does not hide it', () => {
    const redactor = new Redactor({ values: [' harbour \n'] });
    expect(redactor.redactText('harbour')).toBe('[masked]');
    expect(redactor.values).toEqual([' harbour \n', 'harbour']);
  });

  test('an empty value masks nothing and tells nobody', () => {
    const redactor = new Redactor();
    let told = 0;
    redactor.onAdded(() => {
      told += 1;
    });
    redactor.add('');
    redactor.add('  ');
    expect(told).toBe(0);
    expect(redactor.redactText('a  b')).toBe('a  b');
  });

  test('who listens hears of each new value once, until they stop listening', () => {
    const redactor = new Redactor();
    let told = 0;
    const off = redactor.onAdded(() => {
      told += 1;
    });
    redactor.add('first-value');
    redactor.add('first-value');
    expect(told).toBe(1);
    off();
    redactor.add('second-value');
    expect(told).toBe(1);
  });

  test('what stands in place of a value never contains a value itself', () => {
    const redactor = new Redactor({ values: ['masked', '■■■■'] });
    expect(redactor.redactText('is masked')).toBe('is ######');
    const all = new Redactor({ values: ['masked', '■■■■', '####', '⋯'] });
    expect(all.mask).toBe('');
    expect(all.redactText('a masked b')).toBe('a  b');
  });

  test('a value that replacing would put together again goes too', () => {
    const redactor = new Redactor({ values: ['a[masked]b', 'secret'] });
    expect(redactor.redactText('asecretb')).not.toContain('a[masked]b');
    const nested = new Redactor({ values: ['masked', '■■■■', '####', '⋯', 'abcd'] });
    expect(nested.redactText('ababababababcdcdcdcdcdcd')).not.toContain('abcd');
  });

  test('selectors are trimmed, and empty ones left out', () => {
    expect(new Redactor({ selectors: [' .a ', '', ' '] }).selectors).toEqual(['.a']);
  });

  test('a lone surrogate in a value is no error', () => {
    const redactor = new Redactor({ values: ['ab\ud800cd'] });
    expect(redactor.redactText('x ab\ud800cd y')).toBe('x [masked] y');
  });
});

describe('evidence', () => {
  test('is also without credentials by their form; what a script was asked to bring is not', () => {
    const redactor = new Redactor({ values: ['hunter22'] });
    const said = { said: 'hunter22', url: 'https://me:pw@host/?token=abc&x=1', size: 12_345 };
    expect(redactor.redactJsonCounted(said, { isEvidence: true })).toEqual({
      value: { said: '[masked]', url: 'https://[masked]@host/?token=[masked]&x=1', size: 12_345 },
      masked: 2,
    });
    expect(redactor.redactJson(said)).toEqual({ ...said, said: '[masked]' });
    expect(new Redactor().redactEvidence(said.url).masked).toBe(1);
  });
});
