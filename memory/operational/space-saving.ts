/**
 * The most frequent keys of a stream in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi 2005). A key that is not
 * held takes the place of the rarest one and inherits its count as error. So for `n` keys seen and `size` counters:
 * count − error ≤ true count ≤ count, no error is larger than n / size, and each key seen more often than n / size is held.
 */

export interface Ranked {
  readonly key: string;
  /** At most so often. */
  readonly count: number;
  /** Too high by at most this. */
  readonly error: number;
}

export class SpaceSaving {
  readonly #counts: Uint32Array;
  readonly #errors: Uint32Array;
  readonly #keys: string[] = [];
  readonly #at = new Map<string, number>();
  #seen = 0;

  constructor(readonly size: number) {
    this.#counts = new Uint32Array(size);
    this.#errors = new Uint32Array(size);
  }

  get seen(): number {
    return this.#seen;
  }

  /** What a key that is not held may have been seen at most. */
  get floor(): number {
    return this.#keys.length < this.size ? 0 : (this.#counts[this.#rarest()] ?? 0);
  }

  add(key: string): void {
    this.#seen += 1;
    const at = this.#at.get(key) ?? this.#placeFor(key);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  clear(): void {
    this.#seen = 0;
    this.#keys.length = 0;
    this.#at.clear();
    this.#counts.fill(0);
    this.#errors.fill(0);
  }

  *entries(): Generator<Ranked> {
    for (const [at, key] of this.#keys.entries()) yield { key, count: this.#counts[at] ?? 0, error: this.#errors[at] ?? 0 };
  }

  #placeFor(key: string): number {
    let at = this.#keys.length;
    if (at === this.size) {
      at = this.#rarest();
      this.#at.delete(this.#keys[at] ?? "");
      this.#errors[at] = this.#counts[at] ?? 0;
    }
    this.#keys[at] = key;
    this.#at.set(key, at);
    return at;
  }

  #rarest(): number {
    const counts = this.#counts;
    let at = 0;
    let least = counts[0] ?? 0;
    for (let n = 1; n < counts.length; n += 1) {
      const count = counts[n] ?? 0;
      if (count >= least) continue;
      least = count;
      at = n;
    }
    return at;
  }
}

/** The most frequent of several summaries together; the bounds of each add up. */
export function merged(summaries: readonly SpaceSaving[], limit: number): Ranked[] {
  const found = new Map<string, { key: string; count: number; error: number }>();
  let floors = 0;
  for (const summary of summaries) {
    const { floor } = summary;
    floors += floor;
    for (const { key, count, error } of summary.entries()) {
      const held = found.get(key);
      if (held === undefined) found.set(key, { key, count: count - floor, error: error - floor });
      else {
        held.count += count - floor;
        held.error += error - floor;
      }
    }
  }
  const all = [...found.values()].map(({ key, count, error }) => ({ key, count: count + floors, error: error + floors }));
  return all.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, limit);
}
