/**
 * Progress of long steps: what, how far, how long.
 *
 * Every line goes to stderr, so that a command's stdout stays machine-readable.
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Milliseconds without a line, after which what goes on is said again. */
const quiet_ms = 15_000;
/** Milliseconds between two lines that a step tells of its own accord. */
const told_ms = 2000;

interface Running {
  readonly what: string;
  readonly begin_ms: number;
  /** As it is when it is asked. */
  readonly how_far: (() => string) | undefined;
  /** What it told last. */
  told: string;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class Progress {
  readonly #write: (line: string) => void;
  readonly #quiet_ms: number;
  readonly #started_ms = performance.now();
  readonly #running = new Set<Running>();
  #said_ms = performance.now();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(write: (line: string) => void, quiet: number) {
    this.#write = write;
    this.#quiet_ms = quiet;
  }

  say(message: string): void {
    this.#said_ms = performance.now();
    const at = ((this.#said_ms - this.#started_ms) / 1000).toFixed(0).padStart(4);
    this.#write(`[${at} s] ${message}\n`);
  }

  /**
   * Runs one named step, telling when it begins, how far it is (through `tell`, or as `how_far` has it) and how long it took.
   */
  async step<T>(what: string, work: (tell: (how_far: string) => void) => Promise<T>, how_far?: () => string): Promise<T> {
    this.say(`${what} …`);
    const begin_ms = performance.now();
    const result = await this.during(what, work, how_far);
    this.say(`${what}: done in ${seconds(performance.now() - begin_ms)}`);
    return result;
  }

  /** A part of something else: it is named while it goes on and nothing else is said, and has no beginning and end of its own. */
  async during<T>(what: string, work: (tell: (how_far: string) => void) => Promise<T>, how_far?: () => string): Promise<T> {
    const running: Running = { what, begin_ms: performance.now(), how_far, told: "" };
    let last_ms = running.begin_ms;
    const tell = (so_far: string): void => {
      running.told = so_far;
      const now_ms = performance.now();
      if (now_ms - last_ms < told_ms) return;
      last_ms = now_ms;
      this.say(lineOf(running, now_ms));
    };
    this.#running.add(running);
    this.#watch();
    try {
      return await work(tell);
    } finally {
      this.#running.delete(running);
      if (this.#running.size === 0 && this.#timer !== null) {
        clearTimeout(this.#timer);
        this.#timer = null;
      }
    }
  }

  /** Says what goes on when nothing was said for long; for work that lets no timer run. */
  beat(): void {
    const now_ms = performance.now();
    if (now_ms - this.#said_ms < this.#quiet_ms || this.#running.size === 0) return;
    this.say([...this.#running].map((one) => lineOf(one, now_ms)).join("; "));
  }

  #watch(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.beat();
        if (this.#running.size > 0) this.#watch();
      },
      Math.max(1, this.#said_ms + this.#quiet_ms - performance.now()),
    );
  }
}

function lineOf({ what, begin_ms, how_far, told }: Running, now_ms: number): string {
  const so_far = how_far?.() ?? told;
  return `${what}: ${so_far === "" ? "" : `${so_far}, `}${seconds(now_ms - begin_ms)} so far`;
}

const progress = new Progress((line) => void process.stderr.write(line), quiet_ms);

export const say = (message: string): void => progress.say(message);
export const beat = (): void => progress.beat();
export const step: Progress["step"] = (what, work, how_far) => progress.step(what, work, how_far);
export const during: Progress["during"] = (what, work, how_far) => progress.during(what, work, how_far);

/** How much is in a file, or in a folder with all below it: `12.3 MB`; empty when there is nothing yet. */
export function amountIn(path: string): string {
  const bytes = bytesIn(path);
  return bytes === 0 ? "" : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What is renamed or removed meanwhile counts as nothing. */
function bytesIn(path: string): number {
  try {
    const found = statSync(path);
    if (!found.isDirectory()) return found.size;
    return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0);
  } catch {
    return 0;
  }
}
