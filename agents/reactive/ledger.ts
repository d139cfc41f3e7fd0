/**
 * Events and decisions on their way to memory. They are kept until memory has them on the disk; while it is away, the
 * newest `kept_max` of each are kept and the rest counted as lost.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";

export interface MemoryPort {
  appendEvents(events: Event[]): Promise<unknown>;
  appendDecisions(decisions: Decision[]): Promise<unknown>;
}

const kept_max = 2000;
const batch_max = 100;
/** Bytes of one batch as JSON: well below a frame. */
const batch_bytes_max = 100 * 1024;
const retry_ms = 1000;

export class Ledger {
  readonly #memory: () => MemoryPort | null;
  readonly #events = new Map<string, Event>();
  readonly #decisions = new Map<string, Decision>();
  #dropped = 0;
  #flushing = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param memory the port of the moment, or null while memory is away */
  constructor(memory: () => MemoryPort | null) {
    this.#memory = memory;
  }

  get waiting(): number {
    return this.#events.size + this.#decisions.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  addEvent(event: Event): void {
    this.#keep(this.#events, event);
  }

  /** A decision with an id that still waits replaces it. */
  putDecision(decision: Decision): void {
    this.#keep(this.#decisions, decision);
  }

  /** Called when memory is back; otherwise it runs by itself. */
  async flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    let failed = false;
    try {
      while (this.waiting > 0) {
        const memory = this.#memory();
        if (memory === null) break;
        // decisions first: whoever sees an alarm then sees what is being done about it (agents/loop/below.ts)
        await this.#send(this.#decisions, (decisions) => memory.appendDecisions(decisions));
        await this.#send(this.#events, (events) => memory.appendEvents(events));
      }
    } catch {
      failed = true;
    }
    this.#flushing = false;
    if (failed) this.#later(retry_ms);
  }

  #keep<T extends { readonly id: string }>(kept: Map<string, T>, item: T): void {
    if (kept.size >= kept_max && !kept.has(item.id)) {
      const oldest = kept.keys().next();
      if (!oldest.done) kept.delete(oldest.value);
      this.#dropped += 1;
    }
    kept.set(item.id, item);
    this.#later(0);
  }

  #later(wait_ms: number): void {
    if (this.#flushing || this.#timer !== null || this.#memory() === null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, wait_ms);
  }

  async #send<T extends { readonly id: string }>(kept: Map<string, T>, append: (batch: T[]) => Promise<unknown>): Promise<void> {
    const batch = firstBatch(kept);
    if (batch.length === 0) return;
    try {
      await append(batch);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== rpc_error.invalid_params) throw error;
      this.#dropped += batch.length;
    }
    for (const item of batch) if (kept.get(item.id) === item) kept.delete(item.id);
  }
}

function firstBatch<T>(kept: Map<string, T>): T[] {
  const batch: T[] = [];
  let bytes = 0;
  for (const item of kept.values()) {
    bytes += JSON.stringify(item).length;
    if (batch.length > 0 && (bytes > batch_bytes_max || batch.length >= batch_max)) break;
    batch.push(item);
  }
  return batch;
}
