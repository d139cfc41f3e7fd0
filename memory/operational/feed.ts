/**
 * What is written becomes known to operational memory; after a start of the service the last hour is read from the log
 * first. It is read in pieces between other work, in the order of writing, until a piece comes to the end of the log:
 * from that turn of the loop on what is written is told as it is written. So nothing is told twice and nothing left out.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { Clock } from "../clock.ts";
import type { Batch } from "../group-commit.ts";
import type { Parts } from "../parts.ts";
import type { Recent } from "./recent.ts";
import { hour_ms } from "./windows.ts";

/** Rows of one piece: a few milliseconds. */
const piece_rows = 100;

type Log = Pick<Parts, "recent_log">;

interface FeedOptions {
  readonly keeper: { readonly parts: Log; read<T>(query: (parts: Log) => T): T };
  readonly recent: Recent;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
}

export class Feed {
  readonly #options: FeedOptions;
  #live = false;
  /** Decisions that were written or changed while the log was read: their outcome may be newer than what was read. */
  readonly #meanwhile = new Map<string, Decision>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Called after each commit. */
  written({ events, decisions }: Batch): void {
    if (!this.#live) {
      for (const decision of decisions) this.#meanwhile.set(decision.id, decision);
      return;
    }
    const { recent } = this.#options;
    for (const event of events) recent.takeEvent(event);
    for (const decision of decisions) recent.takeDecision(decision);
  }

  /** Reads the log. A log that cannot be read is said, and operational memory begins with what comes from now on. */
  async start(): Promise<void> {
    const { recent, onFailed } = this.#options;
    recent.replaying = true;
    try {
      await this.#replay();
    } catch (error) {
      onFailed(error);
    }
    this.#live = true;
    for (const decision of this.#meanwhile.values()) recent.takeDecision(decision);
    this.#meanwhile.clear();
    recent.replaying = false;
  }

  async #replay(): Promise<void> {
    const { keeper, recent, clock } = this.#options;
    const from_ms = clock.boot_ms() - hour_ms;
    let { recent_log: log } = keeper.parts;
    let event: number | null = null;
    let decision: number | null = null;
    for (const sample of keeper.read((parts) => parts.recent_log.metrics(clock.boot, from_ms))) recent.takeMetrics(sample);
    for (;;) {
      if (log !== keeper.parts.recent_log) {
        // the file was replaced: its rows count anew, and none of them has been read
        log = keeper.parts.recent_log;
        event = null;
        decision = null;
      }
      const events = keeper.read((parts) => parts.recent_log.eventsAfter(event, clock.boot, from_ms, piece_rows));
      const decisions = keeper.read((parts) => parts.recent_log.decisionsAfter(decision, clock.boot, from_ms, piece_rows));
      for (const item of events.items) recent.takeEvent(item);
      for (const item of decisions.items) recent.takeDecision(item);
      if (events.end && decisions.end) return;
      event = events.last;
      decision = decisions.last;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
