/**
 * Everything that arrives in one turn of the event loop is written in one transaction, and acknowledged after it: one
 * flush to the disk serves many callers.
 */

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions<T, R> {
  /** Writes all of them as one durable transaction, or none. @returns one result for each, in their order. @throws */
  readonly write: (items: readonly T[]) => readonly R[];
  readonly onFailed: (error: unknown) => void;
}

export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
  }

  /** @returns what `write` said of it, once it is durable. Rejects when the transaction failed. */
  append(item: T): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push({ item, resolve, reject });
    return promise;
  }

  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    let results: readonly R[];
    try {
      results = this.#options.write(group.map(({ item }) => item));
    } catch (error) {
      this.#options.onFailed(error);
      for (const { reject } of group) reject(error);
      return;
    }
    for (const [index, { resolve, reject }] of group.entries()) {
      const result = results[index];
      if (result === undefined) reject(new Error(`writing item ${index} of ${group.length} failed: it has no result`));
      else resolve(result);
    }
  }
}
