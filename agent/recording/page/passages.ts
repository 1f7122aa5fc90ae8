import { hide } from './hide.ts';
import type { SecretValues } from './secret-values.ts';

const HIGHLIGHT_NAME = 'lba-masked';

/**
 * Blacks out the values within texts, and not the words around them, by the highlight API of CSS: the document
 * stays as it is. What cannot be highlighted is hidden as a whole element.
 */
export class Passages {
  readonly #values: SecretValues;
  readonly #ranges = new Set<Range>();
  readonly #rangesOf = new WeakMap<Text, Range[]>();
  readonly #highlight = typeof Highlight === 'undefined' ? null : new Highlight();
  readonly #sheet = new CSSStyleSheet();

  constructor(values: SecretValues) {
    this.#values = values;
    this.#sheet.replaceSync(
      `::highlight(${HIGHLIGHT_NAME}){color:transparent;background-color:#000;text-shadow:none}`,
    );
  }

  /** Hidden passages. */
  get count(): number {
    return this.#ranges.size;
  }

  /** Whether a style sheet is the one that this put into the document. */
  isOwnSheet(sheet: CSSStyleSheet): boolean {
    return sheet === this.#sheet;
  }

  /** Registers the highlight, in a document that may have been written from nothing. */
  register(): void {
    if (this.#highlight) CSS.highlights.set(HIGHLIGHT_NAME, this.#highlight);
  }

  /** Highlights are styled in each root on its own. */
  styleIn(root: Document | ShadowRoot): void {
    if (!this.#highlight || this.#values.isEmpty || root.adoptedStyleSheets.includes(this.#sheet)) return;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#sheet];
  }

  /** Hides the values in a text node, as it is now. */
  check(node: Text): void {
    for (const range of this.#rangesOf.get(node) ?? []) this.#drop(range);
    const parent = node.parentElement;
    if (!parent || !this.#values.isIn(node.data)) return;
    if (parent instanceof HTMLOptionElement) {
      hide(parent.closest('select') ?? parent, this.#values);
      return;
    }
    if (parent instanceof HTMLTextAreaElement || !this.#highlight || !(parent instanceof HTMLElement)) {
      hide(parent, this.#values);
      return;
    }
    this.#rangesOf.set(
      node,
      this.#values.placesIn(node.data).map(([start, end]) => this.#add(node, start, end)),
    );
  }

  /** Drops passages that left the document or show no value any more. */
  dropStale(): void {
    for (const range of this.#ranges) {
      if (!range.startContainer.isConnected || !this.#values.isIn(range.toString())) this.#drop(range);
    }
  }

  #add(node: Text, start: number, end: number): Range {
    const range = new Range();
    range.setStart(node, start);
    range.setEnd(node, end);
    this.#ranges.add(range);
    this.#highlight?.add(range);
    return range;
  }

  #drop(range: Range): void {
    this.#ranges.delete(range);
    this.#highlight?.delete(range);
  }
}
