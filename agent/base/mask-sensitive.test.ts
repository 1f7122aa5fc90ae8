import { expect, test } from 'vitest';
import { maskText } from './mask-sensitive.ts';

test.each([
  ['AKIAIOSFODNN7EXAMPLE', '[masked]'],
  ['Authorization: Bearer abc123def', 'Authorization: Bearer [masked]'],
  ['https://me:pw@host/a', 'https://[masked]@host/a'],
  ['GET /a?b=1&access_token=x.y-z#top', 'GET /a?b=1&access_token=[masked]#top'],
  ['/done#id_token=abc&state=1', '/done#id_token=[masked]&state=1'],
  [`<a href='/a?x=1&amp;token=abc'>go</a>`, `<a href='/a?x=1&amp;token=[masked]'>go</a>`],
  [String.raw`{"url":"/a?x\u0026secret=abc"}`, String.raw`{"url":"/a?x\u0026secret=[masked]"}`],
  ['/login?next=%2Fa%3Ftoken%3Dabc%26x%3D1', '/login?next=%2Fa%3Ftoken%3D[masked]%26x%3D1'],
])('%s', (text, masked) => {
  expect(maskText(text)).toBe(masked);
  expect(maskText(masked), 'a second time changes nothing').toBe(masked);
});

test.each([
  'the bearer securities of the fund',
  'a?name=value&page=2',
  `fetch('/a?password=' + encodeURIComponent(value))`,
  'write to someone@example.com, or see https://example.com/@me',
])('no credential, and left as it is: %s', (text) => {
  expect(maskText(text)).toBe(text);
});

test('a text that a page makes to keep the agent busy takes no longer than another', () => {
  const hostile = ['a.', 'a-', '://a', 'x://', 'Bearer ', '?token=', '%3ftoken%3d', '%26'].map((part) =>
    part.repeat(1_000_000 / part.length),
  );
  const before = performance.now();
  for (const text of hostile) maskText(text);
  expect(performance.now() - before).toBeLessThan(5_000);
});
