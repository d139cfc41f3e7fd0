/**
 * The embedding process as its parent sees it. States:
 *
 *   off       no model is wanted or fits (`reason` says which); looked at again every `watch_ms`
 *   starting  spawned, not loaded yet; ends in ready, or in waiting when it takes too long or says that it failed
 *   ready     answers; ends in waiting when the process ends or does not answer any more, in off when memory runs out
 *   waiting   for its next start: twice as long after each failure, up to a minute; once it ran that long, from the beginning
 *
 * Only `#enter` changes the state.
 */

import type { FileSink, Subprocess } from "bun";
import { embed_methods, embed_notifications } from "../../contracts/embed.ts";
import type { Peer } from "../../wire/peer.ts";
import { pipePeer } from "../../wire/pipe.ts";
import { doesNotFit, hasToGo, type MemoryRoom, memoryRoom } from "./fit.ts";

const start_limit_ms = 120_000;
const backoff_first_ms = 1000;
const backoff_max_ms = 60_000;
const watch_ms = 10_000;

export type EmbedPeer = Peer<Record<never, never>, typeof embed_notifications, typeof embed_methods, Record<never, never>>;

export interface Loaded {
  readonly model: string;
  readonly dimensions: number;
  readonly lanes: number;
  readonly peer: EmbedPeer;
  readonly pid: number;
}

type State =
  | { readonly name: "off" | "waiting"; readonly reason: string }
  | { readonly name: "starting"; readonly reason: string; readonly child: Child }
  | { readonly name: "ready"; readonly child: Child; readonly loaded: Loaded; readonly since_ms: number };
type Child = Subprocess<"pipe", "pipe", "inherit">;

export interface WorkerOptions {
  /** The command; the model file and the number of lanes are appended. */
  readonly command: readonly string[];
  /** null: no model is wanted. */
  readonly model_path: string | null;
  readonly lanes: number;
  readonly log: (line: string) => void;
  /** Called when a model is there, or is there no more. */
  readonly onChange: () => void;
  readonly room?: () => MemoryRoom;
  readonly backoff_first_ms?: number;
  readonly watch_ms?: number;
}

export class EmbedWorker {
  readonly #options: WorkerOptions;
  readonly #room: () => MemoryRoom;
  readonly #watch: ReturnType<typeof setInterval>;
  #state: State = { name: "off", reason: "the embedding model was not started yet" };
  #failures = 0;
  #starts = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#room = options.room ?? memoryRoom;
    this.#watch = setInterval(() => this.#look(), options.watch_ms ?? watch_ms);
    this.#watch.unref();
    this.#look();
  }

  get loaded(): Loaded | null {
    return this.#state.name === "ready" ? this.#state.loaded : null;
  }

  /** Why there is no model, in words. */
  get reason(): string | null {
    return this.#state.name === "ready" ? null : this.#state.reason;
  }

  /** Starts after the first. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** For one that does not answer: it is killed, and started again. */
  give_up(reason: string): void {
    if (this.#state.name === "ready" || this.#state.name === "starting") this.#failed(this.#state.child, reason);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    const state = this.#state;
    this.#enter({ name: "off", reason: "memory is stopping" });
    if ("child" in state) state.child.kill("SIGKILL");
  }

  /** Starts it when there is room for it, and takes it away when there is none. */
  #look(): void {
    const path = this.#options.model_path;
    if (this.#stopped || this.#state.name === "waiting") return;
    if (this.#state.name === "off") {
      const reason = path === null ? "no embedding model is configured" : doesNotFit(path, this.#room());
      if (reason === null && path !== null) this.#start(path);
      else this.#enter({ name: "off", reason: reason ?? "" });
      return;
    }
    const reason = hasToGo(this.#room());
    if (reason === null || !("child" in this.#state)) return;
    const { child } = this.#state;
    this.#enter({ name: "off", reason });
    child.kill("SIGKILL");
  }

  #start(path: string): void {
    this.#starts += 1;
    const child: Child = Bun.spawn([...this.#options.command, path, String(this.#options.lanes)], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      cwd: "/", // where llama.cpp's libraries look for others, besides beside themselves
    });
    this.#enter({ name: "starting", reason: "the embedding model is being loaded", child });
    const peer: EmbedPeer = pipePeer(child.stdout, child.stdin as FileSink, {
      serves: { methods: {}, handlers: {} },
      hears: {
        notifications: embed_notifications,
        listeners: {
          loaded: ({ model, dimensions, lanes }) => {
            if (this.#is(child)) this.#ready(child, { model, dimensions, lanes, peer, pid: child.pid });
          },
          failed: ({ reason }) => this.#failed(child, reason),
        },
      },
      calls: embed_methods,
      tells: {},
    });
    this.#timer = setTimeout(() => this.#failed(child, `it was not loaded within ${start_limit_ms / 1000} s`), start_limit_ms);
    void child.exited.then(() => {
      peer.close("the embedding process ended");
      this.#failed(child, `the embedding process ended: ${child.signalCode ?? `status ${child.exitCode}`}`);
    });
  }

  #ready(child: Child, loaded: Loaded): void {
    this.#enter({ name: "ready", child, loaded, since_ms: performance.now() });
    this.#options.log(`embedding model "${loaded.model}" is loaded, ${loaded.lanes} at once`);
  }

  #failed(child: Child, reason: string): void {
    if (!this.#is(child)) return;
    const ran_long = this.#state.name === "ready" && performance.now() - this.#state.since_ms > backoff_max_ms;
    this.#failures = ran_long ? 1 : this.#failures + 1;
    const first_ms = this.#options.backoff_first_ms ?? backoff_first_ms;
    const wait_ms = Math.min(backoff_max_ms, first_ms * 2 ** (this.#failures - 1));
    this.#enter({ name: "waiting", reason: `${reason}; it is started again after ${wait_ms / 1000} s` });
    this.#options.log(`embedding: ${this.reason}`);
    child.kill("SIGKILL");
    this.#timer = setTimeout(() => {
      this.#enter({ name: "off", reason });
      this.#look();
    }, wait_ms);
    this.#timer.unref();
  }

  /** Whether this is the child of now: what an earlier one says does not count. */
  #is(child: Child): boolean {
    return "child" in this.#state && this.#state.child === child;
  }

  #enter(state: State): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const changed = (this.#state.name === "ready") !== (state.name === "ready");
    this.#state = state;
    if (changed) this.#options.onChange();
  }
}
