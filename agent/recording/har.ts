/** Builds a HAR 1.2 file (http://www.softwareishard.com/blog/har-12-spec/) from the network part of a trace. */
import type { JsonObject, JsonValue } from '../base/words.ts';
import { parseJsonObject } from './body-redaction.ts';
import type { RedactedTrace } from './trace-redaction.ts';

/** What other tools write in a HAR too, without Playwright's own references into the trace. */
const REFERENCES = new Set(['_frameref', '_monotonicTime', '_securityDetails', '_file']);
/** Bodies that say nothing about what a page exchanges with its server; the trace has them. */
const STATIC = /^(image|font|audio|video)\/|css|javascript|ecmascript/i;
const CREATOR = { name: 'Local Browser Agent', version: '1' };
const IN_TRACE = 'left out: see the trace';
const TOO_LARGE = 'left out: the network log would be larger than its limit';

export interface Har {
  text: string;
  masked: number;
  /** Requests left out to stay within the limit. */
  droppedRequests: number;
}

type Requests = RedactedTrace['requests'];

/**
 * Requests in the order in which they started, with the bodies that are text. Above `maxBytes` the largest
 * bodies are left out, then the oldest requests: the last ones explain a failure.
 */
export function buildHar(
  { requests, bodies }: Pick<RedactedTrace, 'requests' | 'bodies'>,
  options: { maxBytes: number },
): Har {
  const sorted = [...requests].sort((a, b) => startOf(a.value).localeCompare(startOf(b.value)));
  const { kept, bytes } = newest(sorted, options.maxBytes);
  const chosen = smallest(kept, bodies, options.maxBytes - bytes);
  let masked = 0;
  const bodyOf = (file: string, mimeType: string): Body => {
    const text = chosen.get(file);
    const body = bodies.get(file);
    if (text === undefined) return { comment: body && !STATIC.test(mimeType) ? TOO_LARGE : IN_TRACE };
    masked += body?.masked ?? 0;
    return { text };
  };
  const entries = kept.map((request) => {
    masked += request.masked;
    return entryOf(request.value, bodyOf);
  });
  const droppedRequests = sorted.length - kept.length;
  const log = {
    version: '1.2',
    creator: CREATOR,
    pages: pagesOf(kept),
    entries,
    ...(droppedRequests === 0 ? {} : { comment: `${droppedRequests} older requests ${TOO_LARGE}` }),
  };
  return { text: `${JSON.stringify({ log })}\n`, masked, droppedRequests };
}

/** As many of the newest requests as fit, without bodies. */
function newest(requests: Requests, maxBytes: number): { kept: Requests; bytes: number } {
  let bytes = 0;
  let from = requests.length;
  while (from > 0 && bytes + requests[from - 1]!.sizeBytes <= maxBytes) {
    from -= 1;
    bytes += requests[from]!.sizeBytes;
  }
  return { kept: requests.slice(from), bytes };
}

/** As many bodies as fit, the smallest first, by the name of their file. */
function smallest(
  requests: Requests,
  bodies: RedactedTrace['bodies'],
  maxBytes: number,
): Map<string, string> {
  const found = new Map<string, { text: string; sizeBytes: number }>();
  for (const { file, mimeType } of requests.flatMap(({ value }) => bodiesOf(value))) {
    const text = bodies.get(file)?.value;
    if (text === undefined || STATIC.test(mimeType)) continue;
    // The body of two requests is in the HAR twice.
    const before = found.get(file)?.sizeBytes ?? 0;
    found.set(file, { text, sizeBytes: before + Buffer.byteLength(JSON.stringify(text)) });
  }
  const chosen = new Map<string, string>();
  let left = maxBytes;
  for (const [file, { text, sizeBytes }] of [...found].sort(([, a], [, b]) => a.sizeBytes - b.sizeBytes)) {
    left -= sizeBytes;
    if (left < 0) break;
    chosen.set(file, text);
  }
  return chosen;
}

/** The files that hold the bodies of request and response. */
function bodiesOf(entry: JsonObject): { file: string; mimeType: string }[] {
  const post = objectOf(objectOf(entry['request'])['postData']);
  const content = objectOf(objectOf(entry['response'])['content']);
  return [post, content].flatMap((holder) => {
    const file = textOf(holder['_file']);
    return file === '' ? [] : [{ file, mimeType: textOf(holder['mimeType']) }];
  });
}

/** Replacement for a reference to a file. */
type Body = { text: string } | { comment: string };
type BodyOf = (file: string, mimeType: string) => Body;

function entryOf(entry: JsonObject, bodyOf: BodyOf): JsonObject {
  const request = objectOf(entry['request']);
  const response = objectOf(entry['response']);
  const post = 'postData' in request ? { postData: withBody(objectOf(request['postData']), bodyOf) } : {};
  const content = withBody(objectOf(response['content']), bodyOf);
  if (entry['_resourceType'] !== 'websocket') {
    return { ...plain(entry), request: { ...request, ...post }, response: { ...response, content } };
  }
  const { text, ...rest } = content;
  return {
    ...plain(entry),
    response: { ...response, content: rest },
    _webSocketMessages: framesOf(textOf(text)),
  };
}

function withBody(holder: JsonObject, bodyOf: BodyOf): JsonObject {
  const file = textOf(holder['_file']);
  return file === '' ? holder : { ...plain(holder), ...bodyOf(file, textOf(holder['mimeType'])) };
}

/** Chromium's own extension of HAR; its times are seconds. */
function framesOf(lines: string): JsonObject[] {
  return lines.split('\n').flatMap((line) => {
    const frame = parseJsonObject(line);
    return frame ? [{ ...frame, time: Number(frame['time']) / 1000 }] : [];
  });
}

/** Pages are named by their first document. */
function pagesOf(requests: Requests): JsonObject[] {
  const pages = new Map<string, JsonObject>();
  for (const { value } of requests) {
    const id = textOf(value['pageref']);
    if (id === '' || pages.has(id)) continue;
    const title = textOf(objectOf(value['request'])['url']);
    pages.set(id, { startedDateTime: startOf(value), id, title, pageTimings: {} });
  }
  return [...pages.values()];
}

function plain(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !REFERENCES.has(name)));
}

function startOf(entry: JsonObject): string {
  return textOf(entry['startedDateTime']);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
