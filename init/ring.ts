/** What is newest, up to a number and a weight; the oldest goes first. */

/** UTF-8 bytes of something as JSON: a control character alone takes six. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}

export class Ring<T> {
  #items: T[] = [];
  #first = 0;
  #weight = 0;
  readonly #count_max: number;
  readonly #weight_max: number;
  readonly #weigh: (item: T) => number;

  constructor(count_max: number, weight_max: number, weigh: (item: T) => number) {
    this.#count_max = count_max;
    this.#weight_max = weight_max;
    this.#weigh = weigh;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#weight += this.#weigh(item);
    while (this.size > this.#count_max || (this.#weight > this.#weight_max && this.size > 1)) {
      this.#weight -= this.#weigh(this.#items[this.#first] as T);
      this.#first += 1;
    }
    if (this.#first < 1024 || this.#first < this.size) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Oldest first. */
  all(): T[] {
    return this.#items.slice(this.#first);
  }
}
