/**
 * Everything that arrives in one turn of the event loop is written in one transaction, and acknowledged after it: one
 * flush to the disk serves many callers.
 */

import type { Decision } from "../contracts/decision.ts";
import type { Event } from "../contracts/event.ts";
import type { Store } from "./store/store.ts";

export interface Batch {
  readonly events: readonly Event[];
  readonly decisions: readonly Decision[];
}

interface Waiting extends Batch {
  readonly resolve: (written: number) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly store: () => Store;
  /** Told after the commit what is new: events that were not held before, and every decision as it now is. */
  readonly onWritten: (batch: Batch) => void;
  readonly onFailed: (error: unknown) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** @returns how many rows are new or changed, once they are durable. Rejects when the transaction failed. */
  append(batch: Batch): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push({ ...batch, resolve, reject });
    return promise;
  }

  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    const events: Event[] = [];
    const decisions: Decision[] = [];
    let written: number[];
    try {
      const store = this.#options.store();
      written = store.commit(() => group.map((batch) => write(store, batch, events, decisions)));
    } catch (error) {
      for (const batch of group) batch.reject(error);
      this.#options.onFailed(error);
      return;
    }
    for (const [index, batch] of group.entries()) batch.resolve(written[index] ?? 0);
    this.#options.onWritten({ events, decisions });
  }
}

function write(store: Store, batch: Batch, events: Event[], decisions: Decision[]): number {
  const known = events.length;
  for (const event of batch.events) if (store.addEvent(event)) events.push(event);
  for (const decision of batch.decisions) store.putDecision(decision);
  decisions.push(...batch.decisions);
  return events.length - known + batch.decisions.length;
}
