/** Small numbers for names that come again and again. Bounded: a name beyond the bound becomes `(other)`. */

export const names_max = 1024;
const none = 0;
const other = 1;

export class Names {
  readonly #names: string[] = ["", "(other)"];
  readonly #numbers = new Map<string, number>();

  /** Names that had to become `(other)`, counted. */
  overflowed = 0;

  /** @param name null counts as no name */
  number(name: string | null): number {
    if (name === null) return none;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= names_max) {
      this.overflowed += 1;
      return other;
    }
    this.#names.push(name);
    this.#numbers.set(name, this.#names.length - 1);
    return this.#names.length - 1;
  }

  /** @returns null when no such name was ever seen */
  known(name: string): number | null {
    return this.#numbers.get(name) ?? null;
  }

  name(number: number): string {
    return this.#names[number] ?? "";
  }
}
