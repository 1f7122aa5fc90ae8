import { MASK } from '../base/mask-sensitive.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { isSecretKey } from './sensitive-names.ts';

/** HTML that servers send holds fields too: a hidden token, a password filled in. */
const INPUT_TAG = /<(?:input|meta)\b[^>]*>/gi;
/** The whole text as pairs of a form, e.g. `a=1&b=2`. */
const FORM = /^[\w.%+[\]~*-]+=[^&\s<>]*(&[\w.%+[\]~*-]+=[^&\s<>]*)*$/;

/** Takes the values of fields with telling names out of a body: JSON, form, multipart or HTML. */
export function redactBody(text: string, mimeType: string): { text: string; masked: number } {
  const json = /json/.test(mimeType) || /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined) {
    const { value, masked } = redactSecretKeys(json);
    return { text: masked > 0 ? JSON.stringify(value) : text, masked };
  }
  if (/urlencoded/.test(mimeType) || FORM.test(text)) return redactForm(text);
  if (/multipart/.test(mimeType)) return redactMultipart(text);
  return redactHtml(text);
}

/** Every value under a telling name, at any depth. */
export function redactSecretKeys<T extends JsonValue>(value: T): { value: T; masked: number } {
  let masked = 0;
  const visit = (node: JsonValue): JsonValue => {
    if (Array.isArray(node)) return node.map(visit);
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, child]) => {
        const isValue = typeof child === 'string' || typeof child === 'number';
        if (!isValue || child === '' || !isSecretKey(key)) return [key, visit(child)];
        masked += 1;
        return [key, MASK];
      }),
    );
  };
  return { value: visit(value) as T, masked };
}

export function parseJsonObject(text: string): JsonObject | null {
  const value = parseJson(text);
  return value !== undefined && value !== null && typeof value === 'object' && !Array.isArray(value)
    ? value
    : null;
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function redactForm(text: string): { text: string; masked: number } {
  let masked = 0;
  const pairs = text.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 0 || equals === pair.length - 1 || !isSecretKey(decode(pair.slice(0, equals)))) return pair;
    masked += 1;
    return `${pair.slice(0, equals)}=${MASK}`;
  });
  return { text: pairs.join('&'), masked };
}

function redactMultipart(text: string): { text: string; masked: number } {
  let masked = 0;
  const redacted = text.replace(
    /(content-disposition:[^\n]*\bname="([^"]*)"[^\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)([\s\S]*?)(?=\r?\n--)/gi,
    (whole, head: string, name: string) => {
      if (!isSecretKey(name)) return whole;
      masked += 1;
      return head + MASK;
    },
  );
  return { text: redacted, masked };
}

function redactHtml(text: string): { text: string; masked: number } {
  let masked = 0;
  const redacted = text.replace(INPUT_TAG, (tag) => {
    const isPassword = /\btype\s*=\s*["']?password/i.test(tag);
    const name = /\bname\s*=\s*["']?([^"'\s>]+)/i.exec(tag)?.[1] ?? '';
    if (!isPassword && !isSecretKey(name)) return tag;
    return tag.replace(/\b(value|content)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi, (_whole, key: string) => {
      masked += 1;
      return `${key}="${MASK}"`;
    });
  });
  return { text: redacted, masked };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
