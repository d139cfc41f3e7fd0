/** Figures on their way to memory. While it is away the newest are kept: they carry their own time. */

import type { MetricSample } from "../../contracts/memory/operational.ts";

/** Ten minutes at one every ten seconds, and what one call may carry. */
const kept_max = 60;

export type AppendMetrics = (samples: MetricSample[]) => Promise<unknown>;

export class MetricsPost {
  readonly #memory: () => AppendMetrics | null;
  #kept: MetricSample[] = [];

  /** @param memory how to send at the moment, or null while memory is away */
  constructor(memory: () => AppendMetrics | null) {
    this.#memory = memory;
  }

  get waiting(): number {
    return this.#kept.length;
  }

  /** Memory passes over what it has been told before, so a send whose answer was lost does no harm. */
  async send(sample: MetricSample): Promise<void> {
    this.#kept = [...this.#kept, sample].slice(-kept_max);
    const append = this.#memory();
    if (append === null) return;
    const sent = this.#kept;
    try {
      await append(sent);
    } catch {
      return;
    }
    this.#kept = this.#kept.filter((one) => !sent.includes(one));
  }
}
