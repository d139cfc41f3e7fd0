/** Events and decisions that arrive in one turn of the event loop are written together (wire/group-commit.ts). */

import type { Decision } from "../contracts/decision.ts";
import type { Event } from "../contracts/event.ts";
import type { Memory } from "../contracts/memory/record.ts";
import { GroupCommit as Commits } from "../wire/group-commit.ts";
import type { Parts } from "./parts.ts";

export interface Batch {
  readonly events: readonly Event[];
  readonly decisions: readonly Decision[];
  readonly memories?: readonly Memory[];
}

export interface GroupCommitOptions {
  readonly parts: () => Parts;
  /** Told after the commit what is new: events that were not held before, and every decision as it now is. */
  readonly onWritten: (batch: Batch) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Each batch is answered with how many of its rows are new or changed. */
export class GroupCommit extends Commits<Batch, number> {
  constructor({ parts: current, onWritten, onFailed }: GroupCommitOptions) {
    const write_all = (batches: readonly Batch[]): number[] => {
      const events: Event[] = [];
      const decisions: Decision[] = [];
      const parts = current();
      const written = parts.store.commit(() => batches.map((batch) => write(parts, batch, events, decisions)));
      onWritten({ events, decisions });
      return written;
    };
    super({ write: write_all, onFailed });
  }
}

function write({ store, longterm }: Parts, batch: Batch, events: Event[], decisions: Decision[]): number {
  const known = events.length;
  for (const event of batch.events) if (store.addEvent(event)) events.push(event);
  for (const decision of batch.decisions) store.putDecision(decision);
  decisions.push(...batch.decisions);
  const memories = batch.memories?.filter((memory) => longterm.put(memory)).length ?? 0;
  return events.length - known + batch.decisions.length + memories;
}
