/** The embedder that long-term memory asks: what is cached at once, the rest by the embedding process. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Health } from "../../contracts/service.ts";
import type { Embedder, EmbedKind } from "../longterm/embedder.ts";
import { type Job, JobQueue, type Waiter } from "./queue.ts";
import { embeddable, textKey } from "./text.ts";
import { type EmbedWorker, type Loaded, startEmbedWorker, type WorkerOptions } from "./worker.ts";

/** Vectors that are held; 1.5 kB each. */
const cached_max = 2048;
/** Texts of one call to the process; a query waits for no more than one sentence a lane. */
const batch_max = 8;
/** Calls that may be open: enough that a lane never waits for the next. */
const open_max = { query: 8, background: 2 } as const;
/** Milliseconds after which who asked is told that it takes too long. */
const limit_ms = { query: 5000, background: 120_000 } as const;
/** Milliseconds without an answer after which the process counts as hung. */
const answer_limit_ms = 60_000;
/** A text that was lost with this many processes is not given to another. */
const losses_max = 2;
/** Milliseconds over which the rate in health is taken. */
const rate_window_ms = 60_000;

/** Which process computes with which file. */
export interface Embedding {
  readonly command: readonly string[];
  readonly model_path: string;
}

/** More background sentences at once than this do not pay in memory. */
const lanes_max = 4;

/** One processor stays for queries, and for whatever else the machine does. */
export function lanesFor(processors: number): number {
  return Math.max(1, Math.min(lanes_max, processors - 1));
}

/** @param embedding null, or why there is to be none: memory is searched by word alone */
export function embedderOf(embedding: Embedding | string | null, log: (line: string) => void): ProcessEmbedder {
  const lanes = lanesFor(availableParallelism());
  if (embedding === null || typeof embedding === "string")
    return new ProcessEmbedder({ command: [], model_path: null, lanes, log, ...(embedding === null ? {} : { off: embedding }) });
  return new ProcessEmbedder({ ...embedding, lanes, log });
}

/** Health, and whether texts can be found by meaning. Without a model the service does its job by word, and says so. */
export function withEmbedding(health: Omit<Health, "resources">, embedder: ProcessEmbedder): Omit<Health, "resources"> {
  const words_only = embedder.reason === null ? "" : `; searched by word alone: ${embedder.reason}`;
  return { ...health, detail: `${health.detail}${words_only}`.slice(0, 500), facts: { ...health.facts, ...embedder.facts() } };
}

class EmbedError extends Error {
  override readonly name = "EmbedError";
}

export class ProcessEmbedder implements Embedder {
  readonly #worker: EmbedWorker;
  readonly #queue = new JobQueue();
  readonly #cache = new Map<string, Float32Array>();
  readonly #open = { query: 0, background: 0 };
  #cache_of: string | null = null;
  #embedded = 0;
  #cache_hits = 0;
  #window = { begin_ms: performance.now(), embedded: 0, rate: 0 };

  constructor(options: Omit<WorkerOptions, "onChange">) {
    this.#worker = startEmbedWorker({ ...options, onChange: () => queueMicrotask(() => this.#changed()) });
  }

  get model(): string | null {
    return this.#worker.loaded?.model ?? null;
  }

  get dimensions(): number {
    return this.#worker.loaded?.dimensions ?? 0;
  }

  get reason(): string | null {
    return this.#worker.reason;
  }

  /** The process, for tests that end it. */
  get pid(): number | null {
    return this.#worker.loaded?.pid ?? null;
  }

  async embed(texts: readonly string[], kind: EmbedKind, signal?: AbortSignal): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    if (this.model === null) throw new EmbedError(`embedding failed: ${this.reason}`);
    const wanted = texts.map((text) => embeddable(text)).map((text) => ({ text, key: textKey(text) }));
    const missing = new Set(wanted.filter(({ key }) => !this.#cache.has(key)).map(({ key }) => key));
    if (!this.#queue.hasRoom(kind, missing.size))
      throw new EmbedError(`embedding ${missing.size} texts failed: too many wait already; ask again later`);
    const limit = AbortSignal.timeout(limit_ms[kind]);
    const found = Promise.all(wanted.map(({ key, text }) => this.#one(key, text, kind, limit, signal)));
    this.#pump();
    return await found;
  }

  async #one(key: string, text: string, kind: EmbedKind, limit: AbortSignal, signal: AbortSignal | undefined): Promise<Float32Array> {
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#cache_hits += 1;
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array>();
    const waiter: Waiter = { resolve, reject };
    this.#queue.add(key, text, kind, waiter);
    const cancelled = (): void => {
      this.#queue.forget(waiter);
      const cause = signal?.aborted === true ? "it was cancelled" : `it took longer than ${limit_ms[kind] / 1000} s`;
      reject(new EmbedError(`embedding a text failed: ${cause}`));
    };
    signal?.addEventListener("abort", cancelled);
    limit.addEventListener("abort", cancelled);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", cancelled);
      limit.removeEventListener("abort", cancelled);
    }
  }

  /** Gives the process what it can take, queries first. */
  #pump(): void {
    for (const kind of ["query", "background"] as const) {
      while (this.#open[kind] < open_max[kind]) {
        const loaded = this.#worker.loaded;
        if (loaded === null || loaded.peer.closed) return; // goes on when the next process is there
        const jobs = this.#queue.take(kind, batch_max);
        if (jobs.length === 0) break;
        this.#open[kind] += 1;
        void this.#compute(loaded, jobs, kind).finally(() => {
          this.#open[kind] -= 1;
          this.#pump();
        });
      }
    }
  }

  async #compute(loaded: Loaded, jobs: readonly Job[], kind: EmbedKind): Promise<void> {
    try {
      const asked = { texts: jobs.map((job) => job.text), urgent: kind === "query" };
      const { vectors } = await loaded.peer.call("embed", asked, answer_limit_ms);
      for (const [at, job] of jobs.entries()) this.#take(loaded, job, vectors[at]);
    } catch (error) {
      this.#lost(loaded, jobs, error instanceof Error ? error.message : String(error));
    }
  }

  #take(loaded: Loaded, job: Job, base64: string | undefined): void {
    const bytes = Buffer.from(base64 ?? "", "base64");
    if (bytes.length !== loaded.dimensions * 4) {
      this.#queue.finish(job, new EmbedError("embedding a text failed: the process answered with a vector of another size"));
      return;
    }
    const vector = new Float32Array(loaded.dimensions);
    for (let at = 0; at < vector.length; at += 1) vector[at] = bytes.readFloatLE(at * 4);
    this.#embedded += 1;
    if (this.#cache_of === loaded.model) this.#cache.set(job.key, vector);
    if (this.#cache.size > cached_max) this.#cache.delete(this.#cache.keys().next().value ?? "");
    this.#queue.finish(job, vector);
  }

  /** The process ended or does not answer. Its texts wait for the next, unless they were lost too often. */
  #lost(loaded: Loaded, jobs: readonly Job[], why: string): void {
    if (this.#worker.loaded === loaded && !loaded.peer.closed) {
      for (const job of jobs) this.#queue.finish(job, new EmbedError(`embedding a text failed: ${why}`));
      if (why.includes("no answer within")) this.#worker.giveUp("the embedding process did not answer");
      return;
    }
    for (const job of jobs) job.losses += 1;
    for (const job of jobs.filter((one) => one.losses >= losses_max))
      this.#queue.finish(job, new EmbedError(`embedding a text failed: the process ended ${job.losses} times over it`));
    this.#queue.putBack(jobs.filter((one) => one.losses < losses_max));
  }

  #changed(): void {
    const { loaded } = this.#worker;
    if (loaded === null) return;
    if (this.#cache_of !== loaded.model) this.#cache.clear();
    this.#cache_of = loaded.model;
    this.#pump();
  }

  /** What health says of it. */
  facts(): Health["facts"] {
    const rate = this.#rate();
    const { loaded, restarts } = this.#worker;
    return {
      embed_model: loaded?.model ?? "none",
      embed_loaded: loaded !== null,
      ...(loaded === null ? { embed_reason: (this.reason ?? "").slice(0, 500) } : {}),
      embed_queue: this.#queue.size,
      embedded: this.#embedded,
      embed_cache_hits: this.#cache_hits,
      embed_per_s: rate,
      embed_restarts: restarts,
      embed_rss_bytes: loaded === null ? 0 : residentBytes(loaded.pid),
    };
  }

  #rate(): number {
    const now_ms = performance.now();
    const over_ms = now_ms - this.#window.begin_ms;
    if (over_ms < rate_window_ms) return this.#window.rate;
    const rate = Math.round(((this.#embedded - this.#window.embedded) / over_ms) * 10_000) / 10;
    this.#window = { begin_ms: now_ms, embedded: this.#embedded, rate };
    return rate;
  }

  stop(): void {
    this.#worker.stop("memory is stopping");
  }
}

/** proc(5): the second figure of statm, in pages. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1] ?? 0) * 4096;
  } catch {
    return 0;
  }
}
