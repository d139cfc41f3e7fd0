/** Keeps what was refused and tries again, as the outboxes of the services do; notes what was acknowledged. */

import { rpc_error } from "../../../contracts/rpc.ts";
import { RpcError } from "../../../wire/peer.ts";
import { largeNote } from "../../testing/records.ts";
import type { MemoryPeer } from "../../testing/service.ts";
import type { Ledger } from "./streams.ts";

const batch = 10;
const retry_ms = 50;
/** A test's machine may be busy. */
const answer_limit_ms = 120_000;

export class RetryingWriter {
  readonly ledger: Ledger;
  readonly refusals = new Map<string, number>();
  readonly #peer: MemoryPeer;
  #next: number;

  constructor(peer: MemoryPeer, ledger: Ledger) {
    this.#peer = peer;
    this.ledger = ledger;
    this.#next = ledger.lines().length;
  }

  get acknowledged(): number {
    return this.#next;
  }

  async write(until: () => boolean): Promise<void> {
    while (!until()) {
      const memories = Array.from({ length: batch }, (_, n) => largeNote(this.#next + n));
      try {
        await this.#peer.call("append", { memories }, answer_limit_ms);
        this.ledger.note(memories.map(({ id }) => id));
        this.#next += batch;
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== rpc_error.unavailable) throw error;
        this.refusals.set(error.message, (this.refusals.get(error.message) ?? 0) + 1);
        await Bun.sleep(retry_ms);
      }
    }
  }

  refused(text: string): boolean {
    return [...this.refusals.keys()].some((message) => message.includes(text));
  }
}
