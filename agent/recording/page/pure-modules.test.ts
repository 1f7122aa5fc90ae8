import { describe, expect, test } from 'vitest';
import { escapeHtml, HtmlWriter } from './html-writer.ts';
import { isSecretAutofill, isSecretName } from './secret-fields.ts';
import { SecretValues } from './secret-values.ts';
import { absoluteUrls, withoutStates } from './style-texts.ts';

describe('secret values', () => {
  const values = new SecretValues();
  values.set({ values: ['abc', 'night-ferry'], shortValues: ['42'] });

  test('every place of every value is found', () => {
    expect(values.placesIn('abc night-ferry abcabc')).toEqual([
      [0, 3],
      [16, 19],
      [19, 22],
      [4, 15],
    ]);
    expect(values.placesIn('nothing')).toEqual([]);
  });

  test('a short value counts only as the whole value of a field', () => {
    expect(values.isField('42')).toBe(true);
    expect(values.isField('420')).toBe(false);
    expect(values.isIn('42')).toBe(false);
    expect(values.isField('so abc is')).toBe(true);
  });

  test('an empty text holds nothing, and without values nothing is looked for', () => {
    expect(values.isIn('')).toBe(false);
    expect(values.isEmpty).toBe(false);
    expect(new SecretValues().isEmpty).toBe(true);
  });
});

test('fields are secret by their autofill name or by the name of a hidden field', () => {
  expect(isSecretAutofill('section-a one-time-code')).toBe(true);
  expect(isSecretAutofill('username')).toBe(false);
  expect(isSecretName('csrfToken')).toBe(true);
  expect(isSecretName('page')).toBe(false);
});

describe('HTML', () => {
  test('is escaped in text and attributes', () => {
    const out = new HtmlWriter(100);
    out.attribute('title', '"a" & <b>');
    expect(out.toString()).toBe(' title="&quot;a&quot; &amp; &lt;b&gt;"');
    expect(escapeHtml("it's")).toBe("it's");
  });

  test('ends with a note where its limit is', () => {
    const out = new HtmlWriter(5);
    out.write('12345');
    expect(out.isFull).toBe(false);
    expect(out.left).toBe(0);
    out.write('6');
    out.write('7');
    expect(out.isFull).toBe(true);
    expect(out.toString()).toMatch(/^12345<!-- cut: .*-->$/);
  });
});

describe('style rules', () => {
  test('addresses become absolute, but for data and fragments', () => {
    const css = `a{b:url(x.png)} c{d:url("/y.png")} e{f:url(data:,x)} g{h:url(#i)} j{k:url('http://[')}`;
    expect(absoluteUrls(css, 'http://site/css/a.css')).toBe(
      `a{b:url("http://site/css/x.png")} c{d:url("http://site/y.png")} e{f:url(data:,x)} g{h:url(#i)} j{k:url('http://[')}`,
    );
  });

  test('a selector is looked for without states and pseudo-elements', () => {
    expect(withoutStates('.a:hover::before, .b > ::marker')).toBe('.a, .b > *');
    expect(withoutStates(':focus')).toBe('*');
    expect(withoutStates('.a:nth-child(2)')).toBe('.a:nth-child(2)');
  });
});
