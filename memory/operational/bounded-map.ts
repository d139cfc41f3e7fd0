/** Things by name that are made when first asked for, at most so many. */

export class BoundedMap<T> {
  readonly #held = new Map<string, T>();
  /** Names for which there was no room, each time. */
  overflowed = 0;

  constructor(
    readonly size_max: number,
    readonly make: (name: string) => T,
  ) {}

  get size(): number {
    return this.#held.size;
  }

  get(name: string): T | null {
    return this.#held.get(name) ?? null;
  }

  /** @returns null when there is no room for another */
  need(name: string): T | null {
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    if (this.#held.size >= this.size_max) {
      this.overflowed += 1;
      return null;
    }
    const made = this.make(name);
    this.#held.set(name, made);
    return made;
  }

  entries(): IterableIterator<[string, T]> {
    return this.#held.entries();
  }
}
