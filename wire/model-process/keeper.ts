/**
 * A process with a model as its parent sees it. States:
 *
 *   off       no model is wanted or fits (`reason` says which); looked at again every `watch_ms`
 *   starting  spawned, not loaded yet; ends in ready, or in waiting when it takes too long or says that it failed
 *   ready     answers; ends in waiting when the process ends or does not answer any more, in off when memory runs out
 *   waiting   for its next start: twice as long after each failure, up to a minute; once it ran that long, from the beginning
 *
 * Only `#enter` changes the state.
 */

import type { FileSink, Subprocess } from "bun";

const start_limit_ms = 120_000;
const backoff_first_ms = 1000;
const backoff_max_ms = 60_000;
const watch_ms = 10_000;

/** Its two ends of the pipe, for a peer. */
export interface ChildPipes {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: FileSink;
  readonly pid: number;
}

/** What the child says of itself. */
export interface ChildEvents<L> {
  loaded(loaded: L): void;
  failed(reason: string): void;
}

interface KeeperOptions<L> {
  /** For people: `the embedding process`. */
  readonly what: string;
  readonly argv: readonly string[];
  readonly log: (line: string) => void;
  /** Called when a model is there, or is there no more. */
  readonly onChange: () => void;
  /** @returns why no model may be loaded now, or null */
  readonly refusal: () => string | null;
  /** @returns why the one that is loaded has to go, or null */
  readonly hasToGo: () => string | null;
  /** Speaks with the child; what is returned ends the connection. */
  readonly connect: (pipes: ChildPipes, events: ChildEvents<L>) => { close(reason: string): void };
  readonly start_limit_ms?: number;
  readonly backoff_first_ms?: number;
  readonly watch_ms?: number;
}

type Child = Subprocess<"pipe", "pipe", "inherit">;
type State<L> =
  | { readonly name: "off" | "waiting"; readonly reason: string }
  | { readonly name: "starting"; readonly reason: string; readonly child: Child }
  | { readonly name: "ready"; readonly child: Child; readonly loaded: L; readonly since_ms: number };

export class ModelKeeper<L> {
  readonly #options: KeeperOptions<L>;
  readonly #watch: ReturnType<typeof setInterval>;
  #state: State<L>;
  #failures = 0;
  #starts = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;

  constructor(options: KeeperOptions<L>) {
    this.#options = options;
    this.#state = { name: "off", reason: `${options.what} was not started yet` };
    this.#watch = setInterval(() => this.#look(), options.watch_ms ?? watch_ms);
    this.#watch.unref();
    this.#look();
  }

  get loaded(): L | null {
    return this.#state.name === "ready" ? this.#state.loaded : null;
  }

  /** Why there is no model, in words. */
  get reason(): string | null {
    return this.#state.name === "ready" ? null : this.#state.reason;
  }

  /** It is on its way: that it does not answer yet is no failure. */
  get is_starting(): boolean {
    return this.#state.name === "starting";
  }

  /** Whether it failed, and not only is on its way or has no room. */
  get is_failing(): boolean {
    return this.#failures > 0 && this.#state.name !== "ready";
  }

  /** Starts after the first. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** For one that does not answer: it is killed, and started again. */
  giveUp(reason: string): void {
    if (this.#state.name === "ready" || this.#state.name === "starting") this.#failed(this.#state.child, reason);
  }

  stop(reason: string): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    const state = this.#state;
    this.#enter({ name: "off", reason });
    if ("child" in state) state.child.kill("SIGKILL");
  }

  /** Starts it when there is room for it, and takes it away when there is none. */
  #look(): void {
    if (this.#stopped || this.#state.name === "waiting") return;
    if (this.#state.name === "off") {
      const reason = this.#options.refusal();
      if (reason === null) this.#start();
      else this.#enter({ name: "off", reason });
      return;
    }
    const reason = this.#options.hasToGo();
    if (reason === null || !("child" in this.#state)) return;
    const { child } = this.#state;
    this.#enter({ name: "off", reason });
    child.kill("SIGKILL");
  }

  #start(): void {
    this.#starts += 1;
    const { argv, what } = this.#options;
    const child: Child = Bun.spawn([...argv], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      cwd: "/", // where llama.cpp's libraries look for others, besides beside themselves
    });
    this.#enter({ name: "starting", reason: "the model is being loaded", child });
    const limit_ms = this.#options.start_limit_ms ?? start_limit_ms;
    const connection = this.#options.connect(
      { input: child.stdout, output: child.stdin as FileSink, pid: child.pid },
      {
        loaded: (loaded) => {
          if (this.#is(child)) this.#enter({ name: "ready", child, loaded, since_ms: performance.now() });
        },
        failed: (reason) => this.#failed(child, reason),
      },
    );
    this.#timer = setTimeout(() => this.#failed(child, `it was not loaded within ${limit_ms / 1000} s`), limit_ms);
    void child.exited.then(() => {
      connection.close(`${what} ended`);
      this.#failed(child, `${what} ended: ${child.signalCode ?? `status ${child.exitCode}`}`);
    });
  }

  #failed(child: Child, reason: string): void {
    if (!this.#is(child)) return;
    const ran_long = this.#state.name === "ready" && performance.now() - this.#state.since_ms > backoff_max_ms;
    this.#failures = ran_long ? 1 : this.#failures + 1;
    const first_ms = this.#options.backoff_first_ms ?? backoff_first_ms;
    const wait_ms = Math.min(backoff_max_ms, first_ms * 2 ** (this.#failures - 1));
    this.#enter({ name: "waiting", reason: `${reason}; it is started again after ${wait_ms / 1000} s` });
    this.#options.log(`${this.#options.what}: ${this.reason}`);
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

  #enter(state: State<L>): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const changed = (this.#state.name === "ready") !== (state.name === "ready");
    this.#state = state;
    if (changed) this.#options.onChange();
  }
}
