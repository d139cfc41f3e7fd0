/** Services as PID 1 sees them: what should run and does not, what keeps ending, what is not well, what starts slowly. */

import { core_services, type ServiceStatus } from "../../contracts/service.ts";
import type { Figure } from "./figure.ts";

/** Starts of which the usual time is told; fewer say nothing. */
const starts_min = 3;
const starts_max = 15;
/** Below this nothing counts as slow, milliseconds. */
const slow_ms_min = 1000;

export class ServicesSensor {
  /** By service: when the start of each figure was entered, on the boot clock. */
  readonly #unwell_since = new Map<string, number>();
  readonly #starts = new Map<string, { readonly times_ms: number[]; counted_ms: number; ratio: number }>();

  readonly #pace: number;

  /** @param pace times are told so many times longer than they are */
  constructor(pace = 1) {
    this.#pace = pace;
  }

  /** @param boot_ms the boot clock now */
  look(services: readonly ServiceStatus[], boot_ms: number): Figure[] {
    const names = new Set(services.map(({ name }) => name));
    for (const known of [this.#unwell_since, this.#starts]) for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    return services.filter(({ state }) => state !== "stopped").flatMap((service) => this.#figures(service, boot_ms));
  }

  #figures(service: ServiceStatus, boot_ms: number): Figure[] {
    const { name: subject, state, since_ms, reason, health } = service;
    const down = state === "waiting" || state === "starting" || state === "backoff"; // a crash loop is an alarm of its own
    const figures: Figure[] = [
      { figure: "service.down_s", subject, value: down ? this.#seconds(boot_ms - since_ms) : 0, detail: `${state}: ${reason}` },
      { figure: "service.crash_loop", subject, value: state === "crash-loop" ? 1 : 0, detail: reason },
    ];
    const unwell = this.#seconds(boot_ms - this.#unwellSince(service, boot_ms));
    const told = isOwn(subject) && health?.status !== "failed" ? "own.degraded_s" : "service.unwell_s";
    figures.push({ figure: told, subject, value: unwell, detail: health?.detail ?? "" });
    const ratio = this.#startRatio(service);
    if (ratio !== null)
      figures.push({ figure: "service.start_ratio", subject, value: ratio, detail: `ready after ${service.ready_after_ms} ms` });
    return figures;
  }

  #seconds(ms: number): number {
    return Math.max(0, Math.round((ms * this.#pace) / 1000));
  }

  /** Now, while it is well or not there. */
  #unwellSince({ name, state, health }: ServiceStatus, boot_ms: number): number {
    const unwell = state === "ready" && health !== null && health.status !== "ok";
    if (!unwell) {
      this.#unwell_since.delete(name);
      return boot_ms;
    }
    const since_ms = this.#unwell_since.get(name) ?? boot_ms;
    this.#unwell_since.set(name, since_ms);
    return since_ms;
  }

  /** Its last start against the median of those before; null while there are too few. */
  #startRatio({ name, state, since_ms, ready_after_ms }: ServiceStatus): number | null {
    if (state !== "ready" || ready_after_ms === null) return this.#starts.get(name)?.ratio ?? null;
    const known = this.#starts.get(name) ?? { times_ms: [], counted_ms: Number.NEGATIVE_INFINITY, ratio: 0 };
    this.#starts.set(name, known);
    if (since_ms > known.counted_ms) {
      known.counted_ms = since_ms;
      known.ratio =
        known.times_ms.length < starts_min ? 0 : Math.max(ready_after_ms, slow_ms_min) / Math.max(median(known.times_ms), slow_ms_min);
      known.times_ms.push(ready_after_ms);
      if (known.times_ms.length > starts_max) known.times_ms.shift();
    }
    return known.times_ms.length > starts_min ? known.ratio : null;
  }
}

/** Those of the system say themselves what they lack; a new start would not bring it, and would interrupt everybody else. */
function isOwn(name: string): boolean {
  return core_services.some((core) => core === name);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
