import fc from 'fast-check';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { Redactor } from './redaction.ts';
import { redactTrace } from './trace-redaction.ts';

const NO_LIMIT = { maxBytes: 1e9 };

function zip(events: object[], files: Record<string, string | Uint8Array> = {}, network: object[] = []) {
  const lines = (list: object[]): Uint8Array =>
    strToU8(list.map((event) => JSON.stringify(event)).join('\n'));
  const entries = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === 'string' ? strToU8(content) : content,
  ]);
  return zipSync({
    'trace.trace': lines(events),
    'trace.network': lines(network),
    ...(Object.fromEntries(entries) as Record<string, Uint8Array>),
  });
}

function events(of: Uint8Array, name = 'trace.trace'): JsonObject[] {
  const text = strFromU8(unzipSync(of)[name]!);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JsonObject);
}

const snapshot = (html: JsonValue, callId = 'c1') => ({ type: 'frame-snapshot', snapshot: { callId, html } });

describe('redactTrace', () => {
  test('what was typed into a password field goes: from the call, the pages, and wherever it went', () => {
    const raw = zip(
      [
        { type: 'before', callId: 'c1', method: 'fill', params: { selector: '#p', value: 'typed-pass' } },
        { type: 'before', callId: 'c2', method: 'fill', params: { selector: '#u', value: 'demo' } },
        { type: 'before', callId: 'c1', method: 'fill', params: null },
        snapshot([
          'HTML',
          {},
          ['INPUT', { type: 'password', __playwright_value_: 'typed-pass', __playwright_target__: '' }],
        ]),
        snapshot(
          ['HTML', {}, ['INPUT', { type: 'text', __playwright_value_: 'demo', __playwright_target__: '' }]],
          'c2',
        ),
        { type: 'console', text: 'sent typed-pass' },
      ],
      { 'resources/a.txt': 'p=typed-pass' },
    );
    const { zip: out, masked } = redactTrace(raw, new Redactor(), NO_LIMIT);
    expect(masked).toBeGreaterThan(2);
    for (const content of Object.values(unzipSync(out))) {
      expect(strFromU8(content)).not.toContain('typed-pass');
    }
    const list = events(out);
    expect(list[0]!['params']).toEqual({ selector: '#p', value: '[masked]' });
    expect(list[1]!['params']).toEqual({ selector: '#u', value: 'demo' });
  });

  test('single keys pressed in a secret field go too', () => {
    const raw = zip([
      { type: 'before', callId: 'c1', method: 'press', params: { key: 'Q' } },
      { type: 'before', callId: 'c1', method: 'selectOption', params: { options: [{ value: 'Q' }] } },
      snapshot(['INPUT', { 'data-lba-masked': '', __playwright_value_: 'Q', __playwright_target__: '' }]),
    ]);
    const list = events(redactTrace(raw, new Redactor(), NO_LIMIT).zip);
    expect(list[0]!['params']).toEqual({ key: '[masked]' });
    expect(list[1]!['params']).toEqual({ options: [] });
  });

  test('hidden elements lose their content and keep their places', () => {
    const html: JsonValue = [
      'HTML',
      {},
      [
        'DIV',
        { 'data-lba-masked': '', title: 'acc', class: 'c' },
        'acc-1',
        ['B', {}, 'acc-2'],
        [[2, 7]],
        ['P', 'acc-3'],
      ],
      ['INPUT', { autocomplete: 'cc-number', value: '4111', __playwright_value_: '4111' }],
      ['INPUT', { type: 'hidden', name: 'csrf_token', value: 'tok-9' }],
      ['INPUT', { type: 'hidden', name: 'page', value: '3' }],
      ['META', { name: 'csrf-token', content: 'tok-8' }],
      ['META', { name: 'viewport', content: 'w' }],
      ['TEXTAREA', { 'data-lba-masked': '', __playwright_value_: 'long secret' }, 'long secret'],
      ['STYLE', {}, 'p{}'],
      'text',
    ];
    const [event] = events(redactTrace(zip([snapshot(html)]), new Redactor(), NO_LIMIT).zip);
    const out = (event!['snapshot'] as JsonObject)['html'] as JsonValue[];
    const text = JSON.stringify(out);
    expect(text).not.toMatch(/acc|4111|tok-|long secret/);
    expect(out).toHaveLength((html as JsonValue[]).length);
    expect((out[2] as JsonValue[])[4]).toEqual([[2, 7]]);
    expect(text).toContain('"page","value":"3"');
    expect(text).toContain('"viewport","content":"w"');
    expect(text).toContain('p{}');
  });

  test('cookies, authorization and telling parameters leave requests and responses', () => {
    const entry = {
      type: 'resource-snapshot',
      snapshot: {
        request: {
          url: 'http://x/a?token=t1&q=ok',
          headers: [
            { name: 'Cookie', value: 'sid=c1' },
            { name: 'Accept', value: '*/*' },
          ],
          cookies: [{ name: 'sid', value: 'c1' }],
          queryString: [
            { name: 'token', value: 't1' },
            { name: 'q', value: 'ok' },
          ],
          postData: {
            mimeType: 'application/x-www-form-urlencoded',
            text: 'password=p1&a=ok',
            params: [{ name: 'password', value: 'p1' }, 'odd'],
          },
        },
        response: { headers: [{ name: 'Set-Cookie', value: 'sid=c2' }], cookies: 'odd' },
      },
    };
    const others = [
      { type: 'resource-snapshot', snapshot: { request: null, response: { postData: { text: 3 } } } },
      { type: 'resource-snapshot' },
      { type: 'resource-snapshot', snapshot: { request: { url: 'http://x/plain' } } },
    ];
    const raw = zip([], {}, [entry, ...others]);
    const { zip: out, masked } = redactTrace(raw, new Redactor(), NO_LIMIT);
    const list = events(out, 'trace.network');
    expect(JSON.stringify(list)).not.toMatch(/c1|c2|t1|p1/);
    expect(masked).toBe(6);
    const request = (list[0]!['snapshot'] as JsonObject)['request'] as JsonObject;
    expect(request['url']).toBe('http://x/a?token=[masked]&q=ok');
    expect(JSON.stringify(request)).toContain('*/*');
    expect(list).toHaveLength(4);
  });

  test('bodies lose what is under telling names; other bodies stay byte for byte', () => {
    const image = new Uint8Array([137, 80, 78, 71, 0, 1, 2]);
    const raw = zip([], {
      'resources/a.json': '{"access_token":"t1","list":[ 1 ]}',
      'resources/b.json': '{ "list" : [ 1 ] }',
      'resources/c.json': '{broken',
      'resources/d.html': '<input type=password value="p1">',
      'resources/e.png': image,
      'resources/0123456789012345678901234567890123456789': 'name=x&otp=o1',
      'resources/f.odd': 'plain',
      'resources/g.odd': new Uint8Array([0, 1]),
    });
    const out = unzipSync(redactTrace(raw, new Redactor(), NO_LIMIT).zip);
    const text = (name: string): string => strFromU8(out[`resources/${name}`]!);
    expect(text('a.json')).toBe('{"access_token":"[masked]","list":[1]}');
    expect(text('b.json')).toBe('{ "list" : [ 1 ] }');
    expect(text('c.json')).toBe('{broken');
    expect(text('d.html')).toBe('<input type=password value="[masked]">');
    expect(text('0123456789012345678901234567890123456789')).toBe('name=x&otp=[masked]');
    expect(out['resources/e.png']).toEqual(image);
    expect(text('f.odd')).toBe('plain');
    expect(out['resources/g.odd']).toEqual(new Uint8Array([0, 1]));
  });

  test('frames of a web socket lose what is under telling names, and known values', () => {
    const frames = [
      {
        type: 'send',
        time: 1_700_000_001_234,
        opcode: 1,
        data: '{"access_token":"t1","note":"night-ferry"}',
      },
      { type: 'receive', time: 2, opcode: 1, data: 'plain' },
      { type: 'receive', time: 3 },
    ];
    const raw = zip([], { 'resources/a.jsonl': frames.map((frame) => JSON.stringify(frame)).join('\n') });
    const { zip: out, masked } = redactTrace(
      raw,
      new Redactor({ values: ['night-ferry', '1234'] }),
      NO_LIMIT,
    );
    expect(events(out, 'resources/a.jsonl')).toEqual([
      { ...frames[0], data: '{"access_token":"[masked]","note":"[masked]"}' },
      frames[1],
      frames[2],
    ]);
    expect(masked).toBe(2);
  });

  test('above its limit the largest pictures are left out, text never', () => {
    const raw = zip([], {
      'resources/small.png': new Uint8Array(100),
      'resources/large.png': new Uint8Array(5000),
      'resources/page.html': 'x'.repeat(9000),
      'resources/film.mp4': new Uint8Array(10),
    });
    const { zip: out, droppedFiles } = redactTrace(raw, new Redactor(), { maxBytes: 3000 });
    expect(Object.keys(unzipSync(out)).sort()).toEqual([
      'resources/page.html',
      'resources/small.png',
      'trace.network',
      'trace.trace',
    ]);
    expect(droppedFiles).toBe(2);
  });

  test('times stay numbers though a secret is made of their digits', () => {
    const raw = zip([{ type: 'before', startTime: 51_234.5, params: { n: 51_234 } }, 3 as never]);
    const redactor = new Redactor({ values: ['1234'] });
    expect(events(redactTrace(raw, redactor, NO_LIMIT).zip)).toEqual([
      { type: 'before', startTime: 51_234.5, params: { n: '5[masked]' } },
    ]);
    expect(redactor.count).toBe(0);
  });

  test('a planted value never survives anywhere in a trace', () => {
    const secrets = fc
      .string({ unit: 'grapheme-ascii', minLength: 5, maxLength: 30 })
      .filter((s) => s.trim() === s);
    const places = fc.record({ name: fc.string(), text: fc.string(), json: fc.jsonValue({ maxDepth: 2 }) });
    fc.assert(
      fc.property(secrets, places, (secret, { name, text, json }) => {
        const body = JSON.stringify({ a: secret, json });
        const raw = zip(
          [
            { type: 'before', callId: name, method: 'fill', params: { value: text + secret, json } },
            snapshot(['P', { title: secret }, `${text}${secret}`]),
            { type: 'console', text: body },
          ],
          {
            'resources/a.json': body,
            'resources/b.html': `<p>${secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`,
            'resources/c.txt': `q=${encodeURIComponent(secret)}&${text}`,
          },
          [
            {
              type: 'resource-snapshot',
              snapshot: { request: { url: `http://x/?q=${encodeURIComponent(secret)}` } },
            },
          ],
        );
        const redactor = new Redactor({ values: [secret] });
        for (const content of Object.values(unzipSync(redactTrace(raw, redactor, NO_LIMIT).zip))) {
          const all = strFromU8(content);
          expect(all).not.toContain(JSON.stringify(secret).slice(1, -1));
          expect(all).not.toContain(encodeURIComponent(secret));
        }
      }),
      { numRuns: 60 },
    );
  });
});
