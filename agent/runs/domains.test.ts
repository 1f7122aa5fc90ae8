import { expect, test } from 'vitest';
import { intersectDomains } from './domains.ts';

test('without a list everything is allowed, and one list alone decides', () => {
  expect(intersectDomains(null, null)).toBeNull();
  expect(intersectDomains(['a.com'], null)).toEqual(['a.com']);
  expect(intersectDomains(null, ['a.com'])).toEqual(['a.com']);
});

test('two lists allow what both allow, the narrower pattern of each pair', () => {
  expect(intersectDomains(['shop.a.com', 'b.com'], ['*.a.com'])).toEqual(['shop.a.com']);
  expect(intersectDomains(['*.a.com'], ['*.x.a.com', 'a.com'])).toEqual(['*.x.a.com']);
  expect(intersectDomains(['A.com'], ['a.com'])).toEqual(['a.com']);
  expect(intersectDomains(['a.com'], ['b.com'])).toEqual([]);
  expect(intersectDomains(['nota.com'], ['*.a.com'])).toEqual([]);
});
