/**
 * Bytes on their way to the line, which takes what it can. Bounded by what is put in: the windows of all channels, and
 * the few bytes of greetings and credits.
 */

export class LineQueue {
  #held: Uint8Array[] = [];
  #bytes = 0;
  /** @returns bytes taken, 0 or less when the line takes none now */
  readonly #write: (bytes: Uint8Array) => number;

  constructor(write: (bytes: Uint8Array) => number) {
    this.#write = write;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#bytes += bytes.length;
    if (this.#held.length === 1) this.drain();
  }

  /** The line takes bytes again. @returns whether all is out */
  drain(): boolean {
    while (this.#held[0] !== undefined) {
      const first = this.#held[0];
      const written = Math.max(0, this.#write(first));
      this.#bytes -= written;
      if (written < first.length) {
        this.#held[0] = first.subarray(written);
        return false;
      }
      this.#held.shift();
    }
    return true;
  }

  clear(): void {
    this.#held = [];
    this.#bytes = 0;
  }
}
