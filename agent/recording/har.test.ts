import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../base/words.ts';
import { buildHar } from './har.ts';

interface Parsed {
  log: {
    version: string;
    comment?: string;
    pages: JsonObject[];
    entries: {
      startedDateTime: string;
      request: { url: string; postData?: JsonObject };
      response: { status: number; content: JsonObject };
      _webSocketMessages?: JsonObject[];
    }[];
  };
}

/** A request as Playwright's trace has it, redacted. */
function request(path: string, more: { second?: number; file?: string; type?: string; post?: string } = {}) {
  const { second = 0, file, type = 'application/json', post } = more;
  const value = {
    pageref: 'page@1',
    startedDateTime: `2026-01-01T00:00:0${second}.000Z`,
    time: 12,
    request: {
      method: 'GET',
      url: `http://x${path}`,
      ...(post === undefined ? {} : { postData: { mimeType: type, text: '', _file: post } }),
    },
    response: {
      status: 200,
      content: { size: 3, mimeType: type, ...(file === undefined ? {} : { _file: file }) },
    },
    _frameref: 'frame@1',
    _monotonicTime: 7,
    _resourceType: 'fetch',
  };
  return { value: value as JsonObject, masked: 1, sizeBytes: JSON.stringify(value).length };
}

const bodiesOf = (texts: Record<string, string>) =>
  new Map(Object.entries(texts).map(([file, value]) => [file, { value, masked: 2 }]));

function har(
  requests: ReturnType<typeof request>[],
  texts: Record<string, string> = {},
  maxBytes = 1_000_000,
) {
  const built = buildHar({ requests, bodies: bodiesOf(texts) }, { maxBytes });
  return { ...built, log: (JSON.parse(built.text) as Parsed).log };
}

describe('buildHar', () => {
  test('entries are in the order in which requests started, on the page that made them', () => {
    const { log } = har([request('/b', { second: 2 }), request('/a', { second: 1 })]);
    expect(log.version).toBe('1.2');
    expect(log.entries.map((entry) => entry.request.url)).toEqual(['http://x/a', 'http://x/b']);
    expect(log.pages).toEqual([
      { id: 'page@1', title: 'http://x/a', startedDateTime: '2026-01-01T00:00:01.000Z', pageTimings: {} },
    ]);
  });

  test('bodies are text in their place, and nothing refers to the trace', () => {
    const { log, text, masked } = har([request('/a', { file: 'r.json', post: 'p.dat' })], {
      'r.json': '{"a":1}',
      'p.dat': 'q=1',
    });
    expect(log.entries[0]!.response.content['text']).toBe('{"a":1}');
    expect(log.entries[0]!.request.postData!['text']).toBe('q=1');
    expect(text).not.toMatch(/_file|_frameref|_monotonicTime/);
    expect(masked).toBe(5);
  });

  test('pictures, styles and what is not text are left to the trace', () => {
    const { log } = har(
      [
        request('/a.css', { file: 'a.css', type: 'text/css' }),
        request('/b.png', { file: 'b.png', type: 'image/png', second: 1 }),
        request('/c.pdf', { file: 'c.pdf', type: 'application/pdf', second: 2 }),
      ],
      { 'a.css': 'p{}' },
    );
    expect(log.entries.map(({ response }) => response.content)).toEqual([
      { size: 3, mimeType: 'text/css', comment: 'left out: see the trace' },
      { size: 3, mimeType: 'image/png', comment: 'left out: see the trace' },
      { size: 3, mimeType: 'application/pdf', comment: 'left out: see the trace' },
    ]);
  });

  test('above the limit the largest bodies are left out first', () => {
    const requests = [
      request('/large', { file: 'large' }),
      request('/small', { file: 'small', second: 1 }),
      request('/small-again', { file: 'small', second: 2 }),
    ];
    const limit = requests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + 300;
    const { log, text, droppedRequests } = har(
      requests,
      { large: 'x'.repeat(400), small: 'y'.repeat(100) },
      limit,
    );
    expect(log.entries[0]!.response.content).toMatchObject({ comment: expect.stringMatching(/limit/) });
    expect(log.entries[1]!.response.content['text']).toBe('y'.repeat(100));
    expect(log.entries[2]!.response.content['text']).toBe('y'.repeat(100));
    expect(droppedRequests).toBe(0);
    expect(text.length).toBeLessThan(limit + 300);
  });

  test('a body that two requests share counts twice', () => {
    const requests = [request('/a', { file: 'f' }), request('/b', { file: 'f', second: 1 })];
    const limit = requests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + 150;
    const { log } = har(requests, { f: 'x'.repeat(100) }, limit);
    expect(log.entries[0]!.response.content['text']).toBeUndefined();
  });

  test('above the limit without bodies the oldest requests are left out, and the log says so', () => {
    const requests = [0, 1, 2].map((second) => request(`/${second}`, { second }));
    const { log, droppedRequests } = har(requests, {}, requests[0]!.sizeBytes * 2);
    expect(log.entries.map((entry) => entry.request.url)).toEqual(['http://x/1', 'http://x/2']);
    expect(droppedRequests).toBe(1);
    expect(log.comment).toMatch(/^1 older requests left out/);
  });

  test('frames of a web socket are listed as Chromium lists them', () => {
    const socket = request('/ws', { file: 'ws.jsonl', type: 'x-unknown' });
    socket.value['_resourceType'] = 'websocket';
    const frame = { type: 'send', time: 1_700_000_000_500, opcode: 1, data: 'hi' };
    const { log } = har([socket], { 'ws.jsonl': `${JSON.stringify(frame)}\n` });
    expect(log.entries[0]!._webSocketMessages).toEqual([{ ...frame, time: 1_700_000_000.5 }]);
    expect(log.entries[0]!.response.content['text']).toBeUndefined();
  });

  test('an entry with holes is kept as it is', () => {
    const odd = { value: { startedDateTime: 'x', request: 3 } as JsonObject, masked: 0, sizeBytes: 10 };
    expect(har([odd]).log).toMatchObject({ pages: [], entries: [{ startedDateTime: 'x' }] });
    expect(har([]).log).toMatchObject({ pages: [], entries: [] });
  });
});
