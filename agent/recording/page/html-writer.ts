const CUT = '<!-- cut: the page is larger than the limit for snapshots -->';

/** Collects HTML up to a limit; what comes after it is left out, with a note. */
export class HtmlWriter {
  readonly #maxCharacters: number;
  readonly #parts: string[] = [];
  #size = 0;
  #isFull = false;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Characters that still fit. */
  get left(): number {
    return this.#maxCharacters - this.#size;
  }

  write(html: string): void {
    if (this.#isFull) return;
    this.#size += html.length;
    this.#isFull = this.#size > this.#maxCharacters;
    this.#parts.push(this.#isFull ? CUT : html);
  }

  attribute(name: string, value: string): void {
    this.write(` ${name}="${escapeHtml(value)}"`);
  }

  toString(): string {
    return this.#parts.join('');
  }
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) =>
    character === '&' ? '&amp;' : character === '<' ? '&lt;' : character === '>' ? '&gt;' : '&quot;',
  );
}
