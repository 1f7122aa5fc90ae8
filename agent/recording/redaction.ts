import { MASK, maskText } from '../base/mask-sensitive.ts';
import type { JsonValue } from '../base/words.ts';
import { secretForms } from './secret-forms.ts';

/**
 * Below this many characters a value is masked only where it stands alone: as a whole JSON string or a
 * whole field value. Replacing "42" inside all text would ruin the evidence, and the holes would tell the
 * value. The field it was typed into is hidden in any case: see `markSensitive`.
 */
export const SHORT_SECRET_CHARACTERS = 4;

/** What stands in place of a value. The first one that contains no secret is used. */
const MASKS = [MASK, '■■■■■■', '######', '⋯'];

/** Replacing may put two halves of a value together again; more rounds than this never were needed. */
const MAX_ROUNDS = 4;

/**
 * Knows the values that must not leave, and takes them out of text and JSON in every form they usually
 * appear in: as they are, URL-encoded, JSON-escaped, HTML-escaped, base64, and one inside the other.
 */
export class Redactor {
  /** CSS selectors of elements that are hidden in every picture and left out of every HTML snapshot. */
  readonly selectors: readonly string[];
  readonly #values = new Set<string>();
  #pattern: RegExp | undefined;
  #mask = MASKS[0]!;
  #count = 0;
  readonly #listeners = new Set<() => void>();

  constructor(options: { selectors?: readonly string[]; values?: Iterable<string> } = {}) {
    this.selectors = (options.selectors ?? []).map((selector) => selector.trim()).filter(Boolean);
    for (const value of options.values ?? []) this.add(value);
  }

  /** From now on `value` is left out. White space around it does not belong to it. */
  add(value: string): void {
    const trimmed = value.trim();
    const fresh = [value, trimmed].filter((one) => trimmed !== '' && !this.#values.has(one));
    if (fresh.length === 0) return;
    for (const one of fresh) this.#values.add(one);
    this.#pattern = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** The values themselves, for masking in pages; never to be written anywhere. */
  get values(): readonly string[] {
    return [...this.#values];
  }

  get mask(): string {
    this.#compiled();
    return this.#mask;
  }

  /** Replacements made so far. */
  get count(): number {
    return this.#count;
  }

  /** Called whenever a new value was added. Returns a function that unsubscribes. */
  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether the text holds a value in any form. */
  contains(text: string): boolean {
    const pattern = this.#compiled();
    pattern.lastIndex = 0;
    return pattern.test(text) || this.#isShortValue(text);
  }

  /** A message or a name: also without what is a credential by its form. */
  redactText(text: string): string {
    return maskText(this.redactTextCounted(text).text);
  }

  /** Evidence: what the page says, not what the script was asked to bring. By value, and by form. */
  redactEvidence(text: string): { text: string; masked: number } {
    const known = this.redactTextCounted(text);
    const formless = maskText(known.text);
    return { text: formless, masked: known.masked + (formless === known.text ? 0 : 1) };
  }

  redactTextCounted(text: string): { text: string; masked: number } {
    if (this.#values.size === 0) return { text, masked: 0 };
    const pattern = this.#compiled();
    if (this.#isShortValue(text)) {
      this.#count += 1;
      return { text: this.#mask, masked: 1 };
    }
    let masked = 0;
    let redacted = text;
    for (let round = 0; round <= MAX_ROUNDS; round += 1) {
      let found = 0;
      pattern.lastIndex = 0;
      redacted = redacted.replace(pattern, () => {
        found += 1;
        return this.#mask;
      });
      masked += found;
      if (found === 0) break;
      if (round === MAX_ROUNDS) redacted = this.#mask;
    }
    this.#count += masked;
    return { text: redacted, masked };
  }

  redactJson<T extends JsonValue>(value: T): T {
    return this.redactJsonCounted(value).value;
  }

  /** Strings, numbers, truth values and names of fields; the result is JSON again. */
  redactJsonCounted<T extends JsonValue>(
    value: T,
    options: { keepNumbers?: ReadonlySet<string>; isEvidence?: boolean } = {},
  ): { value: T; masked: number } {
    const byForm = options.isEvidence === true;
    if (this.#values.size === 0 && !byForm) return { value, masked: 0 };
    let masked = 0;
    const text = (from: string): string => {
      const result = byForm ? this.redactEvidence(from) : this.redactTextCounted(from);
      masked += result.masked;
      return result.text;
    };
    const visit = (node: JsonValue): JsonValue => {
      if (typeof node === 'string') return text(node);
      if (typeof node === 'number') {
        const written = String(node);
        // A short secret as a number would also be every step number: only strings count there.
        if (written.length < SHORT_SECRET_CHARACTERS) return node;
        const redacted = text(written);
        return redacted === written ? node : redacted;
      }
      if (Array.isArray(node)) return node.map(visit);
      if (node !== null && typeof node === 'object') {
        return Object.fromEntries(
          Object.entries(node).map(([key, child]) => [
            key.length < SHORT_SECRET_CHARACTERS ? key : text(key),
            typeof child === 'number' && options.keepNumbers?.has(key) ? child : visit(child),
          ]),
        );
      }
      return node;
    };
    return { value: visit(value) as T, masked };
  }

  #isShortValue(text: string): boolean {
    return text.length < SHORT_SECRET_CHARACTERS && this.#values.has(text);
  }

  #compiled(): RegExp {
    if (this.#pattern) return this.#pattern;
    const long = [...this.#values].filter((value) => value.length >= SHORT_SECRET_CHARACTERS);
    const forms = [...new Set(long.flatMap(secretForms))].sort((a, b) => b.length - a.length);
    this.#mask =
      MASKS.find((mask) => !forms.some((form) => mask.includes(form)) && !this.#values.has(mask)) ?? '';
    // No forms: a pattern that matches nothing.
    // oxlint-disable-next-line no-restricted-globals -- of escaped values, which need no going back
    this.#pattern = new RegExp(forms.map(escapeRegExp).join('|') || '[]', 'g');
    return this.#pattern;
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
