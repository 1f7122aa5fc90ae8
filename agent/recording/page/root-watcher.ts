import { MASK_ATTRIBUTE } from './contract.ts';
import { hide } from './hide.ts';
import type { Passages } from './passages.ts';
import type { Scanner } from './scanner.ts';
import type { SecretValues } from './secret-values.ts';

export type Root = Document | ShadowRoot;

/** Attributes that decide whether a field is hidden. Those of `deep` only matter when there are values. */
const WATCHED_ATTRIBUTES = { always: ['type', 'autocomplete', 'style'], deep: ['value', 'placeholder'] };

/** Watches the document and its open shadow roots for changes that show something to be hidden. */
export class RootWatcher {
  readonly #values: SecretValues;
  readonly #passages: Passages;
  readonly #scanner: Scanner;
  readonly #roots = new Map<Root, MutationObserver>();
  #hasSelectors = false;

  constructor(options: { values: SecretValues; passages: Passages; scanner: Scanner }) {
    this.#values = options.values;
    this.#passages = options.passages;
    this.#scanner = options.scanner;
  }

  get roots(): Iterable<Root> {
    return this.#roots.keys();
  }

  add(root: Root): void {
    if (this.#roots.has(root)) return;
    const observer = new MutationObserver((records) => this.#onMutations(records));
    this.#roots.set(root, observer);
    this.#observe(root, observer);
    this.#scanner.scan(root);
  }

  /** Looks at everything again, because something else is to be hidden. */
  update(hasSelectors: boolean): void {
    this.#hasSelectors = hasSelectors;
    if (this.#roots.size === 0) {
      this.add(document);
      return;
    }
    for (const [root, observer] of this.#roots) {
      this.#observe(root, observer);
      this.#scanner.scan(root);
    }
  }

  close(): void {
    for (const observer of this.#roots.values()) observer.disconnect();
  }

  /** A page without secrets pays for attribute changes of fields alone. */
  #observe(root: Root, observer: MutationObserver): void {
    const isDeep = !this.#values.isEmpty || this.#hasSelectors;
    const { always, deep } = WATCHED_ATTRIBUTES;
    observer.disconnect();
    observer.observe(root, {
      subtree: true,
      childList: isDeep,
      characterData: !this.#values.isEmpty,
      attributes: true,
      attributeOldValue: true,
      // Any attribute may decide whether a selector matches.
      ...(this.#hasSelectors ? {} : { attributeFilter: [...always, ...(isDeep ? deep : [])] }),
    });
    this.#passages.styleIn(root);
  }

  #onMutations(records: MutationRecord[]): void {
    for (const record of records) {
      if (record.type === 'childList') record.addedNodes.forEach((node) => this.#scanner.scan(node));
      else if (record.type === 'characterData') this.#passages.check(record.target as Text);
      else this.#onAttribute(record);
    }
    this.#passages.dropStale();
  }

  #onAttribute({ target, attributeName, oldValue }: MutationRecord): void {
    const element = target as Element;
    // "Show password": what was a password stays hidden.
    const wasPassword = attributeName === 'type' && oldValue?.toLowerCase() === 'password';
    if (wasPassword || element.hasAttribute(MASK_ATTRIBUTE)) hide(element, this.#values);
    else this.#scanner.element(element);
  }
}
