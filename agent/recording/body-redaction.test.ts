import { describe, expect, test } from 'vitest';
import { parseJsonObject, redactBody, redactSecretKeys } from './body-redaction.ts';
import { isSecretHeader, isSecretKey } from './sensitive-names.ts';

describe('redactBody', () => {
  test('JSON: values under telling names go, at any depth, and only they', () => {
    const body = JSON.stringify({ user: 'demo', password: 'x1', nested: [{ access_token: 'y2', ok: 1 }] });
    expect(redactBody(body, 'application/json')).toEqual({
      text: '{"user":"demo","password":"[masked]","nested":[{"access_token":"[masked]","ok":1}]}',
      masked: 2,
    });
  });

  test('JSON without such names stays as it was written', () => {
    expect(redactBody('{ "a" : 1 }', '')).toEqual({ text: '{ "a" : 1 }', masked: 0 });
  });

  test('what only looks like JSON is treated as text', () => {
    expect(redactBody('{not json', 'application/json')).toEqual({ text: '{not json', masked: 0 });
  });

  test('a form: encoded names are read, empty values stay', () => {
    const body = 'user=demo&pass%77ord=x1&token=&q&bad%=1&csrf_token=abc';
    expect(redactBody(body, 'application/x-www-form-urlencoded')).toEqual({
      text: 'user=demo&pass%77ord=[masked]&token=&q&bad%=1&csrf_token=[masked]',
      masked: 2,
    });
  });

  test('a form is recognised without its type', () => {
    expect(redactBody('a=1&password=x1', '').text).toBe('a=1&password=[masked]');
  });

  test('multipart: the part goes, its neighbours stay', () => {
    const body = [
      '--b',
      'Content-Disposition: form-data; name="user"',
      '',
      'demo',
      '--b',
      'Content-Disposition: form-data; name="password"',
      'Content-Type: text/plain',
      '',
      'x1',
      '--b--',
    ].join('\r\n');
    const { text, masked } = redactBody(body, 'multipart/form-data; boundary=b');
    expect(masked).toBe(1);
    expect(text).toContain('demo');
    expect(text).not.toContain('x1');
  });

  test('HTML: filled-in passwords and tokens go', () => {
    const page =
      '<input type="password" value="x1"><input type=hidden name="csrf" value=t2><meta name="csrf-token" content=\'t3\'><input name=q value=ok>';
    const { text, masked } = redactBody(page, 'text/html');
    expect(masked).toBe(3);
    expect(text).not.toMatch(/x1|t2|t3/);
    expect(text).toContain('value=ok');
  });

  test('numbers under a telling name go too, empty strings and objects do not', () => {
    expect(redactSecretKeys({ pin: 1234, otp: '', token: { secret: 'a' } })).toEqual({
      value: { pin: '[masked]', otp: '', token: { secret: '[masked]' } },
      masked: 2,
    });
  });
});

test('only an object is read as one', () => {
  expect(parseJsonObject('{"a":1}')).toEqual({ a: 1 });
  for (const text of ['[1]', 'null', '3', 'x']) expect(parseJsonObject(text)).toBeNull();
});

test('credentials are known by the name of their field or header', () => {
  for (const name of ['password', 'user_passwd', 'X-API-Key', 'access_token', 'otp', 'PIN', 'csrfToken']) {
    expect(isSecretKey(name), name).toBe(true);
  }
  for (const name of ['name', 'pinned', 'description', 'opinion'])
    expect(isSecretKey(name), name).toBe(false);
  for (const name of ['Cookie', 'set-cookie', 'Authorization', 'X-Auth-Token']) {
    expect(isSecretHeader(name), name).toBe(true);
  }
  expect(isSecretHeader('Content-Type')).toBe(false);
});
