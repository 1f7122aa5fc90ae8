import { MASK_ATTRIBUTE, PASSWORD_BINDING } from './contract.ts';
import { hide } from './hide.ts';
import type { Root, RootWatcher } from './root-watcher.ts';
import type { Scanner } from './scanner.ts';
import { isField, isPassword, type Field } from './secret-fields.ts';
import type { SecretValues } from './secret-values.ts';

const FIELD_EVENTS = ['focusin', 'focusout', 'input', 'change'];
/** The last chance to read a field. */
const LEAVING_EVENTS = ['submit', 'pagehide'];

/** Follows what is typed: hides fields as they fill, and reports the values of hidden ones to the recorder. */
export class FieldEvents {
  readonly #values: SecretValues;
  readonly #scanner: Scanner;
  readonly #watcher: RootWatcher;
  readonly #reported = new Set<string>();
  /** What a person typed into. It is not hidden meanwhile: they must see what they write. */
  readonly #typedInto = new Set<HTMLElement>();
  #isTyping = false;

  constructor(options: { values: SecretValues; scanner: Scanner; watcher: RootWatcher }) {
    this.#values = options.values;
    this.#scanner = options.scanner;
    this.#watcher = options.watcher;
  }

  /** Adding a listener twice adds it once. */
  listen(): void {
    for (const type of FIELD_EVENTS) {
      globalThis.addEventListener(type, this.#onField, { capture: true, passive: true });
    }
    for (const type of LEAVING_EVENTS) {
      globalThis.addEventListener(type, this.#onLeaving, { capture: true, passive: true });
    }
  }

  close(): void {
    for (const type of FIELD_EVENTS) globalThis.removeEventListener(type, this.#onField, { capture: true });
    for (const type of LEAVING_EVENTS) {
      globalThis.removeEventListener(type, this.#onLeaving, { capture: true });
    }
  }

  /** Whether a person types. What they typed into is hidden when they end. */
  typing(isTyping: boolean): void {
    const isOver = this.#isTyping && !isTyping;
    this.#isTyping = isTyping;
    if (!isOver) return;
    this.#hideTyped();
    this.#typedInto.clear();
  }

  #hideTyped(): void {
    for (const element of this.#typedInto) {
      hide(element, this.#values);
      this.#report(isField(element) ? element.value : (element.textContent ?? ''));
    }
  }

  readonly #onField = (event: Event): void => {
    const target = event.composedPath()[0];
    if (this.#isTyping && event.type === 'input' && event.isTrusted && target instanceof HTMLElement) {
      // Also an element that is no field, but whose text can be edited.
      this.#typedInto.add(target);
    }
    if (!isField(target)) return;
    const root = target.getRootNode();
    if (root instanceof ShadowRoot) this.#watcher.add(root);
    this.#scanner.field(target);
    if ((event.type === 'change' || event.type === 'focusout') && isHidden(target))
      this.#report(target.value);
  };

  readonly #onLeaving = (): void => {
    this.#hideTyped();
    for (const root of this.#watcher.roots) this.#reportFieldsOf(root);
  };

  #reportFieldsOf(root: Root): void {
    for (const field of root.querySelectorAll('input,textarea')) {
      if (isField(field) && isHidden(field)) this.#report(field.value);
    }
  }

  /** Each value once. */
  #report(value: string): void {
    if (value === '' || this.#reported.has(value)) return;
    this.#reported.add(value);
    const binding = (globalThis as unknown as Record<string, unknown>)[PASSWORD_BINDING];
    if (typeof binding === 'function') (binding as (value: string) => void)(value);
  }
}

function isHidden(field: Field): boolean {
  return isPassword(field) || field.hasAttribute(MASK_ATTRIBUTE);
}
