/** What is published goes to all who listen now. */

export class Hub<T> {
  readonly #listeners = new Set<(item: T) => void>();

  publish(item: T): void {
    for (const listener of [...this.#listeners]) listener(item);
  }

  listen(listener: (item: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Listens from now on, but holds what comes until `start` is called: so that a history can be read in between
   * without missing or doubling anything.
   */
  hold(held_max: number): { start(listener: (item: T) => void): () => void; stop(): void } {
    let waiting: T[] = [];
    let target: ((item: T) => void) | null = null;
    const stop = this.listen((item) => {
      if (target !== null) target(item);
      else if (waiting.push(item) > held_max) waiting.shift();
    });
    return {
      start(listener) {
        for (const item of waiting) listener(item);
        waiting = [];
        target = listener;
        return stop;
      },
      stop,
    };
  }
}
