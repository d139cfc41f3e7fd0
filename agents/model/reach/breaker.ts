/**
 * A circuit breaker (Nygard, Release It!, 2018): a provider that fails again and again is left alone for a while, so that nobody
 * waits for it and the next one is asked at once.
 *
 *   closed     requests pass. `failures_max` failures in a row, or one that only a person can mend (a wrong key), open it
 *   open       nothing passes until `opens_at`: `open_ms`, doubled each time it opens anew, or as long as the provider asked for
 *   half-open  after that, one request passes as a probe; the others are kept away as if it were open. It closes the circuit when
 *              it succeeds, opens it when it fails, and is forgotten when it says nothing about the provider (cancelled)
 *
 * No library of those looked at fits: cockatiel counts by the wall clock, which steps here, and lets others wait for the probe
 * with no way to call them off.
 */

export type BreakerState = "closed" | "open" | "half-open";

interface BreakerOptions {
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  readonly failures_max?: number;
  readonly open_ms?: number;
  readonly open_ms_max?: number;
}

export type Outcome =
  | "succeeded"
  | "failed"
  /** Only a person can mend it. */
  | "hopeless"
  /** It says nothing about the provider. */
  | "neither";

/** What lets one request pass; it has to be told what came of it. */
interface Permit {
  /** @param wait_ms how long the provider asked to be left alone */
  end(outcome: Outcome, wait_ms?: number | null): void;
}

export class Breaker {
  readonly #options: Required<BreakerOptions>;
  #failures = 0;
  /** How often it opened without closing. */
  #opened = 0;
  #opens_at: number | null = null;
  #probing = false;

  constructor({ clock, failures_max = 5, open_ms = 5000, open_ms_max = 600_000 }: BreakerOptions) {
    this.#options = { clock, failures_max, open_ms, open_ms_max };
  }

  get state(): BreakerState {
    if (this.#opens_at === null) return "closed";
    return this.#options.clock() < this.#opens_at ? "open" : "half-open";
  }

  /** Milliseconds until a request may pass; 0 when it may now, or a probe is on its way. */
  get wait_ms(): number {
    return this.#opens_at === null ? 0 : Math.max(this.#opens_at - this.#options.clock(), 0);
  }

  /** @returns null when it may not pass */
  admit(): Permit | null {
    const state = this.state;
    if (state === "open" || (state === "half-open" && this.#probing)) return null;
    const probe = state === "half-open";
    if (probe) this.#probing = true;
    let ended = false;
    return {
      end: (outcome, wait_ms = null) => {
        if (ended) return;
        ended = true;
        if (probe) this.#probing = false;
        if (outcome === "succeeded") this.#close();
        else if (outcome !== "neither") this.#failed(outcome, wait_ms ?? 0, probe);
      },
    };
  }

  #close(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#opens_at = null;
  }

  #failed(outcome: "failed" | "hopeless", asked_ms: number, probe: boolean): void {
    this.#failures += 1;
    const { failures_max, open_ms, open_ms_max, clock } = this.#options;
    if (!probe && outcome === "failed" && this.#failures < failures_max) return;
    const wait_ms = outcome === "hopeless" ? open_ms_max : Math.min(open_ms * 2 ** Math.min(this.#opened, 20), open_ms_max);
    this.#opened += 1;
    this.#failures = 0;
    this.#opens_at = clock() + Math.max(wait_ms, asked_ms);
  }
}
