/** How much a source may cause: enough at once for a program that is new, little for one that only makes noise. */

interface Bucket {
  left: number;
  at_ms: number;
}

export class Budget {
  readonly #buckets = new Map<string, Bucket>();

  readonly #burst: number;
  readonly #per_minute: number;

  constructor(burst: number, per_minute: number) {
    this.#burst = burst;
    this.#per_minute = per_minute;
  }

  /** @param source one of so many at most */
  take(source: string, now_ms: number): boolean {
    let bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      bucket = { left: this.#burst, at_ms: now_ms };
      this.#buckets.set(source, bucket);
    }
    const gained = ((now_ms - bucket.at_ms) * this.#per_minute) / 60_000;
    bucket.left = Math.min(this.#burst, bucket.left + gained);
    bucket.at_ms = now_ms;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}
