/** Events and decisions that arrive in one turn of the event loop are written together (wire/group-commit.ts). */

import type { Decision } from "../contracts/decision.ts";
import type { Event } from "../contracts/event.ts";
import type { PersonSaid } from "../contracts/memory/learning.ts";
import type { Memory } from "../contracts/memory/record.ts";
import { GroupCommit as Commits } from "../wire/group-commit.ts";
import type { Parts } from "./parts.ts";

export interface Batch {
  readonly events: readonly Event[];
  readonly decisions: readonly Decision[];
  readonly memories?: readonly Memory[];
  /** Of decisions, after those of this batch. */
  readonly said?: readonly PersonSaid[];
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

function write(parts: Parts, batch: Batch, events: Event[], decisions: Decision[]): number {
  const { store, longterm } = parts;
  const known = events.length;
  for (const event of batch.events) if (store.addEvent(event)) events.push(event);
  decisions.push(...batch.decisions.map((decision) => store.putDecision(decision)));
  const memories = batch.memories?.filter((memory) => longterm.put(memory)).length ?? 0;
  const amended = heard(parts, batch.said ?? []);
  decisions.push(...amended);
  return events.length - known + batch.decisions.length + memories + amended.length;
}

/** @returns the decisions that this is about, as they now count, with all that is kept of what came of them */
function heard({ store, longterm, outcomes, overrides }: Parts, said: readonly PersonSaid[]): Decision[] {
  const about = new Set(said.flatMap((one) => overrides.take(one, (id) => store.decision(id)) ?? []));
  return [...about].flatMap((id) => {
    const decision = store.decision(id);
    if (decision === null) return []; // it counts from when the decision is told
    outcomes.put(decision);
    longterm.cameTo(decision);
    return [decision];
  });
}
