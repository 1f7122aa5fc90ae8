import { strFromU8, strToU8, unzipSync, zipSync, type Zippable } from 'fflate';
import { MASK } from '../base/mask-sensitive.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { MASK_ATTRIBUTE } from './page/contract.ts';
import { isSecretAutofill } from './page/secret-fields.ts';
import { Redactor } from './redaction.ts';
import { isSecretHeader, isSecretKey } from './sensitive-names.ts';
import { parseJsonObject, redactBody, redactSecretKeys } from './body-redaction.ts';

/**
 * Numbers that Playwright measures. They stay numbers when a secret consists of the same digits: no tool reads a
 * trace or a HAR whose times or sizes are text.
 */
const MEASURED = new Set(
  [
    'startTime,endTime,time,timestamp,wallTime,monotonicTime,collectionTime,_monotonicTime',
    'width,height,x,y,version',
    'blocked,dns,connect,ssl,send,wait,receive',
    'status,size,compression,bodySize,headersSize,_transferSize,_serverPort',
  ].flatMap((names) => names.split(',')),
);
const VALUE_ATTRIBUTE = '__playwright_value_';
const TARGET_ATTRIBUTE = '__playwright_target__';
/** Playwright calls whose parameters are what was typed. */
const TYPING = new Set([
  'fill',
  'type',
  'press',
  'keyboardType',
  'keyboardInsertText',
  'keyboardPress',
  'keyboardDown',
  'keyboardUp',
  'selectOption',
]);
/** Resources that are pictures or the like already: packing them again gains nothing. */
const PACKED = /\.(png|jpe?g|gif|webp|avif|woff2?|mp4|webm|mp3|ogg|zip|gz|br)$/i;
/** Not needed to read a trace, and large. */
const DROPPED = /\.(mp4|webm|mp3|ogg|mov|m4a|wav|zip|gz|exe|dmg)$/i;
const TEXT = /\.(html?|css|js|mjs|json|txt|xml|svg|csv|md|dat|bin)$|\/[0-9a-f]{40}$/i;

export interface RedactedTrace {
  zip: Uint8Array;
  masked: number;
  /** Resources left out to stay within the limit. */
  droppedFiles: number;
  /** Requests with their responses, as HAR entries without bodies: `_file` names those. */
  requests: readonly (Redacted<JsonObject> & { sizeBytes: number })[];
  /** Bodies that are text, by `_file`. */
  bodies: ReadonlyMap<string, Redacted<string>>;
}

interface Redacted<T> {
  value: T;
  /** How many fields and passages are hidden in it. */
  masked: number;
}

/**
 * Takes everything secret out of a Playwright trace: values (in every form), what was typed into password
 * and sensitive fields, their content in DOM snapshots, cookies, authorization headers, and bodies' fields
 * with telling names. Nodes keep their places: later snapshots refer to them by number.
 */
export function redactTrace(raw: Uint8Array, known: Redactor, options: { maxBytes: number }): RedactedTrace {
  // What is learnt from this trace stays with it.
  const redactor = new Redactor({ values: known.values });
  const files = unzipSync(raw);
  const events = new Map<string, JsonObject[]>();
  for (const [name, bytes] of Object.entries(files)) {
    if (/\.(trace|network)$/.test(name)) events.set(name, parseLines(strFromU8(bytes)));
  }
  const secretCalls = new Set<string>();
  let masked = 0;
  // First the pages: they tell which fields are secret, and so which values and which calls are.
  for (const list of events.values()) {
    for (const event of list) {
      if (event['type'] !== 'frame-snapshot') continue;
      const snapshot = event['snapshot'] as JsonObject;
      masked += maskNode(snapshot['html'] ?? null, false, (value, isTarget) => {
        if (value !== '') redactor.add(value);
        if (isTarget && typeof snapshot['callId'] === 'string') secretCalls.add(snapshot['callId']);
      });
    }
  }
  const out: Zippable = {};
  const requests: RedactedTrace['requests'][number][] = [];
  for (const [name, list] of events) {
    const lines: string[] = [];
    for (const event of list) {
      const byName = maskCall(event, secretCalls) + maskResource(event);
      const result = redactor.redactJsonCounted(event, { keepNumbers: MEASURED, isEvidence: true });
      masked += byName + result.masked;
      const line = JSON.stringify(result.value);
      lines.push(line);
      const entry = event['type'] === 'resource-snapshot' ? result.value['snapshot'] : undefined;
      if (!isObject(entry)) continue;
      requests.push({ value: entry, masked: byName + result.masked, sizeBytes: Buffer.byteLength(line) });
    }
    out[name] = [strToU8(`${lines.join('\n')}\n`), { level: 6 }];
  }
  let droppedFiles = 0;
  const resources = Object.entries(files)
    .filter(([name]) => !events.has(name))
    .sort(([, a], [, b]) => a.length - b.length);
  const bodies = new Map<string, Redacted<string>>();
  let bytes = 0;
  for (const [name, content] of resources) {
    const text = isText(name, content) ? redactResource(name, strFromU8(content), redactor) : null;
    if (text) {
      masked += text.masked;
      bodies.set(name, { value: text.text, masked: text.masked });
    }
    const body = text ? strToU8(text.text) : content;
    // Text packs to about a quarter.
    bytes += text ? body.length / 4 : body.length;
    if (DROPPED.test(name) || (bytes > options.maxBytes && !text)) {
      droppedFiles += 1;
      continue;
    }
    out[name] = [body, { level: PACKED.test(name) ? 0 : 4 }];
  }
  return { zip: zipSync(out), masked, droppedFiles, requests, bodies };
}

function parseLines(text: string): JsonObject[] {
  const events: JsonObject[] = [];
  for (const line of text.split('\n')) {
    const event = line === '' ? null : parseJsonObject(line);
    if (event) events.push(event);
  }
  return events;
}

/**
 * A node is text, `[name, attributes, ...children]`, or a reference `[[snapshots back, number]]`.
 * Returns how many fields were emptied.
 */
function maskNode(
  node: JsonValue,
  inside: boolean,
  onSecret: (value: string, isTarget: boolean) => void,
): number {
  if (!Array.isArray(node) || typeof node[0] !== 'string') return 0;
  const name = node[0].toUpperCase();
  const attributes = isObject(node[1]) ? node[1] : {};
  const secret = inside || isSecretElement(name, attributes);
  let masked = 0;
  if (secret) {
    const isField = name === 'INPUT' || name === 'TEXTAREA';
    if (!inside) {
      masked += 1;
      const value = attributes[VALUE_ATTRIBUTE];
      const isHidden = attributes['type'] === 'hidden';
      onSecret(
        isField && !isHidden && typeof value === 'string' ? value : '',
        TARGET_ATTRIBUTE in attributes,
      );
    }
    for (const key of Object.keys(attributes)) {
      if (
        /^(value|title|alt|placeholder|content|src|srcset|href|aria-label|data-(?!lba))|__playwright_(value|selected|current_src)/.test(
          key,
        )
      ) {
        attributes[key] = '';
      }
    }
  }
  const first = isObject(node[1]) ? 2 : 1;
  for (let index = first; index < node.length; index += 1) {
    const child = node[index]!;
    if (typeof child === 'string') {
      if (secret && name !== 'STYLE') node[index] = '';
    } else masked += maskNode(child, secret, onSecret);
  }
  return masked;
}

function isSecretElement(name: string, attributes: JsonObject): boolean {
  if (MASK_ATTRIBUTE in attributes) return true;
  const text = (key: string): string => textOf(attributes[key]);
  if (name === 'META') return isSecretKey(text('name'));
  if (name !== 'INPUT' && name !== 'TEXTAREA') return false;
  if (text('type').toLowerCase() === 'password' || isSecretAutofill(text('autocomplete'))) return true;
  return text('type').toLowerCase() === 'hidden' && isSecretKey(text('name'));
}

/** What was typed into a field that is secret. */
function maskCall(event: JsonObject, secretCalls: ReadonlySet<string>): number {
  if (event['type'] !== 'before' && event['type'] !== 'action') return 0;
  if (!secretCalls.has(textOf(event['callId'])) || !TYPING.has(textOf(event['method']))) return 0;
  const params = event['params'];
  if (!isObject(params)) return 0;
  let masked = 0;
  for (const key of ['value', 'text', 'key', 'options']) {
    if (!(key in params)) continue;
    params[key] = key === 'options' ? [] : MASK;
    masked += 1;
  }
  return masked;
}

/** One request and its response, as HAR has them. */
function maskResource(event: JsonObject): number {
  if (event['type'] !== 'resource-snapshot' || !isObject(event['snapshot'])) return 0;
  let masked = 0;
  for (const side of ['request', 'response']) {
    const message = event['snapshot'][side];
    if (!isObject(message)) continue;
    for (const [list, isSecret] of [
      ['headers', isSecretHeader],
      ['cookies', () => true],
      ['queryString', isSecretKey],
    ] as const) {
      masked += maskNamed(message[list], isSecret);
    }
    if (typeof message['url'] === 'string') message['url'] = maskQuery(message['url']);
    const post = message['postData'];
    if (!isObject(post)) continue;
    masked += maskNamed(post['params'], isSecretKey);
    if (typeof post['text'] === 'string') {
      const body = redactBody(post['text'], textOf(post['mimeType']));
      post['text'] = body.text;
      masked += body.masked;
    }
  }
  return masked;
}

function maskNamed(list: JsonValue | undefined, isSecret: (name: string) => boolean): number {
  if (!Array.isArray(list)) return 0;
  let masked = 0;
  for (const entry of list) {
    if (!isObject(entry) || !isSecret(textOf(entry['name']))) continue;
    entry['value'] = MASK;
    masked += 1;
  }
  return masked;
}

function maskQuery(url: string): string {
  const [address = '', query] = url.split('?', 2);
  return query === undefined
    ? url
    : `${address}?${redactBody(query, 'application/x-www-form-urlencoded').text}`;
}

function isText(name: string, content: Uint8Array): boolean {
  if (!TEXT.test(name)) return !PACKED.test(name) && !content.subarray(0, 1024).includes(0);
  return !content.subarray(0, 1024).includes(0);
}

function redactResource(name: string, text: string, redactor: Redactor): { text: string; masked: number } {
  if (name.endsWith('.jsonl')) return redactFrames(text, redactor);
  const json = name.endsWith('.json') || /^\s*[[{]/.test(text) ? tryJson(text) : undefined;
  if (json !== undefined) {
    const keys = redactSecretKeys(json);
    const values = redactor.redactJsonCounted(keys.value, { isEvidence: true });
    const masked = keys.masked + values.masked;
    return { text: masked > 0 ? JSON.stringify(values.value) : text, masked };
  }
  const form = redactBody(text, '');
  const values = redactor.redactEvidence(form.text);
  return { text: values.text, masked: form.masked + values.masked };
}

/** Frames of a web socket, one JSON object a line: each holds a body of its own. */
function redactFrames(text: string, redactor: Redactor): { text: string; masked: number } {
  let masked = 0;
  const lines = parseLines(text).map((frame) => {
    const body = redactBody(textOf(frame['data']), '');
    const value = 'data' in frame ? { ...frame, data: body.text } : frame;
    const result = redactor.redactJsonCounted(value, { keepNumbers: MEASURED, isEvidence: true });
    masked += body.masked + result.masked;
    return JSON.stringify(result.value);
  });
  return { text: lines.map((line) => `${line}\n`).join(''), masked };
}

function tryJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
