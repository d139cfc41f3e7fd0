/** Texts that wait for their vector. Each is there once, however many ask for it; a query takes a text with it to the front. */

import type { EmbedKind } from "../longterm/embedder.ts";

export interface Waiter {
  resolve(vector: Float32Array): void;
  reject(error: Error): void;
}

export interface Job {
  readonly key: string;
  readonly text: string;
  kind: EmbedKind;
  /** How often it was given to a process that then ended. */
  losses: number;
  readonly waiters: Set<Waiter>;
}

/** Queries beyond these are refused: who asks is told at once that only words can be searched. */
export const queries_max = 256;
/** The same for the background, which comes back with them later. */
export const background_max = 4096;

const limits: Readonly<Record<EmbedKind, number>> = { query: queries_max, background: background_max };

export class JobQueue {
  readonly #known = new Map<string, Job>();
  readonly #waiting: Readonly<Record<EmbedKind, Set<Job>>> = { query: new Set(), background: new Set() };

  /** Texts that wait or are being computed. */
  get size(): number {
    return this.#known.size;
  }

  hasRoom(kind: EmbedKind, count: number): boolean {
    return this.#waiting[kind].size + count <= limits[kind];
  }

  add(key: string, text: string, kind: EmbedKind, waiter: Waiter): void {
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.waiters.add(waiter);
      if (kind === "query" && this.#waiting.background.delete(known)) this.#waiting.query.add(known);
      if (kind === "query") known.kind = kind;
      return;
    }
    const job: Job = { key, text, kind, losses: 0, waiters: new Set([waiter]) };
    this.#known.set(key, job);
    this.#waiting[kind].add(job);
  }

  /** The next of one kind, for one call. What was lost with a process before goes alone: it may be what ended it. */
  take(kind: EmbedKind, count_max: number): Job[] {
    const taken: Job[] = [];
    for (const job of this.#waiting[kind]) {
      const alone = job.losses > 0;
      if (taken.length > 0 && (alone || taken.length >= count_max)) break;
      taken.push(job);
      if (alone) break;
    }
    for (const job of taken) this.#waiting[kind].delete(job);
    return taken;
  }

  /** Back to the front: it is not its fault, or not proven. */
  putBack(jobs: readonly Job[]): void {
    for (const kind of ["query", "background"] as const) {
      const rest = [...this.#waiting[kind]];
      this.#waiting[kind].clear();
      for (const job of [...jobs.filter((one) => one.kind === kind && one.waiters.size > 0), ...rest]) this.#waiting[kind].add(job);
    }
    for (const job of jobs) if (job.waiters.size === 0) this.#known.delete(job.key);
  }

  finish(job: Job, result: Float32Array | Error): void {
    this.#known.delete(job.key);
    for (const waiter of job.waiters) {
      if (result instanceof Error) waiter.reject(result);
      else waiter.resolve(result);
    }
  }

  /** One who asked does so no more; what nobody asks for is not computed. */
  forget(waiter: Waiter): void {
    for (const job of this.#known.values()) {
      if (!job.waiters.delete(waiter) || job.waiters.size > 0) continue;
      const waited = this.#waiting[job.kind].delete(job);
      if (waited) this.#known.delete(job.key);
    }
  }
}
