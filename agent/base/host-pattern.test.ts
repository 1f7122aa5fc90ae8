import { describe, expect, test } from 'vitest';
import {
  canonicalHost,
  formatHostPattern,
  matchesHost,
  meetHostPatterns,
  parseHostPattern,
  targetOf,
} from './host-pattern.ts';
import { coversPrivateHost, parsePrivateHost } from './private-host.ts';

test.each([
  ['127.1', '127.0.0.1'],
  ['2130706433', '127.0.0.1'],
  ['0x7f000001', '127.0.0.1'],
  ['0177.0.0.1', '127.0.0.1'],
  ['169.254.43518', '169.254.169.254'],
  ['127.0.0.1.', '127.0.0.1'],
  ['LOCALHOST', 'localhost'],
  ['[::1]', '::1'],
  ['::ffff:127.0.0.1', '::ffff:7f00:1'],
  ['münchen.example', 'xn--mnchen-3ya.example'],
  ['a b', null],
  ['1.2.3.4:5', null],
  ['256.256.256.256', null],
  ['user@host', null],
  ['', null],
])('the host %s is written as %s', (host, expected) => {
  expect(canonicalHost(host)).toBe(expected);
});

test.each([
  ['shop.example', 'https://shop.example/x', true],
  ['shop.example', 'wss://SHOP.example.:8443/', true],
  ['shop.example', 'https://a.shop.example/', false],
  ['*.shop.example', 'https://a.b.shop.example/', true],
  ['*.shop.example', 'https://shop.example/', false],
  ['*.shop.example', 'https://evilshop.example/', false],
  ['shop.example:8443', 'https://shop.example:8443/', true],
  ['shop.example:8443', 'https://shop.example/', false],
  ['https://shop.example', 'https://shop.example/', true],
  ['https://shop.example', 'http://shop.example/', false],
  ['https://shop.example', 'https://shop.example:8443/', false],
  ['wss://shop.example', 'https://shop.example/', true],
  ['http://127.0.0.1:8080', 'http://127.1:8080/', true],
  ['[::1]:8080', 'http://[0:0:0:0:0:0:0:1]:8080/', true],
  ['::1', 'http://[::1]/', true],
  ['*', 'http://anything.example:99/', true],
  ['*.münchen.example', 'https://www.münchen.example/', true],
])('%s matches %s: %s', (pattern, address, expected) => {
  expect(matchesHost(parseHostPattern(pattern), targetOf(address)!)).toBe(expected);
});

test('a tunnel, whose scheme is not known yet, is matched by host and port', () => {
  const pattern = parseHostPattern('https://shop.example');
  expect(matchesHost(pattern, { host: 'shop.example', port: 443, secure: null })).toBe(true);
  expect(matchesHost(pattern, { host: 'shop.example', port: 80, secure: null })).toBe(false);
});

test.each([
  '',
  'a/b',
  'https://shop.example/path',
  '*.*',
  '*x.example',
  'a.*',
  'a:0',
  'a:70000',
  '*.10.0.0.1',
  'a b',
  'user@a',
])('the entry "%s" is refused, and the message says how to write one', (text) => {
  expect(() => parseHostPattern(text)).toThrow(/is not a host.*portal\.example\.com/);
});

test('only http and https can be allowed', () => {
  expect(() => parseHostPattern('ftp://shop.example')).toThrow(/scheme ftp: only http and https/);
});

test.each(['shop.example', '*.shop.example', '*', 'shop.example:99', 'https://shop.example', '[::1]:80'])(
  'the entry %s is written as it was read',
  (text) => {
    expect(formatHostPattern(parseHostPattern(text))).toBe(text);
  },
);

test.each([
  ['*.shop.example', 'a.shop.example', 'a.shop.example'],
  ['*', '*.shop.example', '*.shop.example'],
  ['*.example', '*.shop.example', '*.shop.example'],
  ['https://*.shop.example', 'a.shop.example:443', 'https://a.shop.example'],
  ['shop.example:80', 'shop.example', 'shop.example:80'],
  ['shop.example:80', 'shop.example:81', null],
  ['http://shop.example', 'https://shop.example:80', null],
  ['shop.example', '*.shop.example', null],
])('what %s and %s both allow is %s', (a, b, expected) => {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const both = meetHostPatterns(parseHostPattern(one), parseHostPattern(other));
    expect(both && formatHostPattern(both)).toBe(expected);
  }
});

describe('private hosts', () => {
  const target = { host: 'erp.example', port: 443, secure: true };

  test.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', '10.1.2.3', false],
    ['erp.example', '10.1.2.3', true],
    ['erp.example:8443', '10.1.2.3', false],
    ['*.example', '10.1.2.3', true],
  ])('%s covers a host at %s: %s', (entry, address, expected) => {
    expect(coversPrivateHost(parsePrivateHost(entry), target, address)).toBe(expected);
  });

  test.each(['10.0.0.0/33', '10.0.0/8', 'a/b'])('the entry %s is refused', (text) => {
    expect(() => parsePrivateHost(text)).toThrow(text);
  });
});
