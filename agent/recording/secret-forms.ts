/**
 * The forms in which a value turns up in evidence: in URLs, form bodies, JSON inside JSON, HTML, and as
 * base64, where it may start at any of three positions within a group of four characters.
 */

/** Fewer characters of base64 than this would also be found in unrelated data, fonts and images say. */
const MIN_BASE64_CHARACTERS = 6;

const ENCODERS: readonly ((text: string) => string)[] = [
  (text) => encodeURIComponentSafe(text),
  // Only what browsers leave as it is differs: encodeURI for whole addresses, and HTML forms.
  (text) => encodeURISafe(text),
  (text) =>
    encodeURIComponentSafe(text)
      .replace(/[!'()~]/g, percent)
      .replaceAll('%20', '+'),
  (text) => encodeURIComponentSafe(text).replace(/[!'()~*]/g, percent),
  (text) => encodeURIComponentSafe(text).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  (text) => asciiJson(text),
  (text) => asciiJson(text).replace(/[<>&']/g, (character) => unicodeEscape(character)),
  (text) => htmlEscape(text, false, false),
  (text) => htmlEscape(text, true, false),
  (text) => htmlEscape(text, true, true),
  (text) => htmlEscape(text, true, true).replaceAll('&#39;', '&#x27;'),
];

/** Every form of `value`, itself included; encodings are applied up to twice, one inside the other. */
export function secretForms(value: string): string[] {
  const forms = new Set([value]);
  const once = new Set(ENCODERS.map((encode) => encode(value)));
  for (const form of once) {
    forms.add(form);
    for (const encode of ENCODERS) forms.add(encode(form));
  }
  for (const form of base64Forms(value)) forms.add(form);
  return [...forms].filter((form) => form.length >= Math.min(value.length, 4));
}

/** The parts of base64 text that depend on nothing but `value`, wherever in the encoded bytes it stands. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const forms: string[] = [bytes.toString('base64').replace(/=+$/, '')];
  for (let before = 0; before < 3; before += 1) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const firstOwn = Math.ceil((before * 8) / 6);
    const afterOwn = Math.floor(((before + bytes.length) * 8) / 6);
    forms.push(encoded.slice(firstOwn, afterOwn));
  }
  return forms
    .filter((form) => form.length >= MIN_BASE64_CHARACTERS)
    .flatMap((form) => [
      form,
      form.replaceAll('+', '-').replaceAll('/', '_'),
      encodeURIComponentSafe(form),
      form.replaceAll('/', '\\/'),
    ]);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A lone surrogate cannot be URL-encoded; browsers send the replacement character. */
function encodeURIComponentSafe(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function encodeURISafe(text: string): string {
  return encodeURI(text.toWellFormed());
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function asciiJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u0080-\uffff]/g, unicodeEscape);
}

function htmlEscape(text: string, quotes: boolean, apostrophes: boolean): string {
  let escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\u00a0', '&nbsp;');
  if (quotes) escaped = escaped.replaceAll('"', '&quot;');
  if (apostrophes) escaped = escaped.replaceAll("'", '&#39;');
  return escaped;
}
