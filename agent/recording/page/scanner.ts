import { hide } from './hide.ts';
import type { Passages } from './passages.ts';
import { isField, isPassword, type Field } from './secret-fields.ts';
import type { SecretValues } from './secret-values.ts';

/** Finds what must be hidden in a part of the document, and hides it. */
export class Scanner {
  readonly #values: SecretValues;
  readonly #passages: Passages;
  readonly #onShadowRoot: (root: ShadowRoot) => void;
  #selector = '';

  constructor(options: {
    values: SecretValues;
    passages: Passages;
    /** A root that has to be watched on its own. */
    onShadowRoot: (root: ShadowRoot) => void;
  }) {
    this.#values = options.values;
    this.#passages = options.passages;
    this.#onShadowRoot = options.onShadowRoot;
  }

  /** Sets the configured selectors. Returns those that are not valid CSS. */
  select(selectors: readonly string[]): string[] {
    const invalid = selectors.filter((selector) => !isValid(selector));
    this.#selector = selectors.filter((selector) => !invalid.includes(selector)).join(',');
    return invalid;
  }

  /** A node and everything below it, shadow roots included. */
  scan(node: Node): void {
    if (node.nodeType === Node.TEXT_NODE) this.#passages.check(node as Text);
    if (!(node instanceof Element || node instanceof Document || node instanceof DocumentFragment)) return;
    if (node instanceof Element) this.element(node);
    const what = NodeFilter.SHOW_ELEMENT | (this.#values.isEmpty ? 0 : NodeFilter.SHOW_TEXT);
    const walker = document.createTreeWalker(node, what);
    for (let next = walker.nextNode(); next; next = walker.nextNode()) {
      if (next.nodeType === Node.TEXT_NODE) this.#passages.check(next as Text);
      else this.element(next as Element);
    }
  }

  element(element: Element): void {
    if (element.shadowRoot) this.#onShadowRoot(element.shadowRoot);
    if (isField(element)) this.field(element);
    if (this.#selector && element.matches(this.#selector)) hide(element, this.#values);
  }

  field(field: Field): void {
    const isSecret =
      isPassword(field) || this.#values.isField(field.value) || this.#values.isIn(field.placeholder);
    if (isSecret) hide(field, this.#values);
  }
}

function isValid(selector: string): boolean {
  try {
    document.createDocumentFragment().querySelector(selector);
    return true;
  } catch {
    return false;
  }
}
