/** The values to hide, and where a text shows them. */
export class SecretValues {
  #values: readonly string[] = [];
  #shortValues: readonly string[] = [];

  set(config: { values: readonly string[]; shortValues: readonly string[] }): void {
    this.#values = config.values;
    this.#shortValues = config.shortValues;
  }

  /** No value is looked for in texts. */
  get isEmpty(): boolean {
    return this.#values.length === 0;
  }

  isIn(text: string): boolean {
    return text !== '' && this.#values.some((value) => text.includes(value));
  }

  /** Whether the value of a field must be hidden. */
  isField(value: string): boolean {
    return this.isIn(value) || this.#shortValues.includes(value);
  }

  /** Start and end of each value in a text. */
  placesIn(text: string): (readonly [start: number, end: number])[] {
    const places: (readonly [number, number])[] = [];
    for (const value of this.#values) {
      for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) {
        places.push([at, at + value.length]);
      }
    }
    return places;
  }
}
