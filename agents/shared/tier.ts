/** A tier that has no model yet: it is connected, watches its neighbours, and says what it lacks. */

import type { CoreService, Health } from "../../contracts/service.ts";
import { createLog } from "../../wire/log.ts";
import { startService } from "../../wire/service.ts";
import { type Loop, runLoop } from "../loop/run.ts";
import { type Neighbours, watchNeighbours } from "./neighbours.ts";

export interface TierOptions {
  readonly name: Extract<CoreService, "operational" | "tactical">;
  readonly run: string;
  /** What it lacks to think: `no model loaded`. */
  readonly lacks: string;
}

export async function runTier({ name, run, lacks }: TierOptions): Promise<void> {
  const neighbours = watchNeighbours(run, name);
  let loop: Loop | null = null;
  const service = await startService({ name, run, health: () => tierHealth(lacks, neighbours(), loop) });
  loop = await runLoop({ tier: name, run, log: createLog(), init: service.init });
  service.ready(lacks);
}

/** To lack a model is how this system is built, not a fault; a neighbour that is away is one. */
export function tierHealth(
  lacks: string,
  { broker, memory, tools, memory_events }: Neighbours,
  loop: Loop | null = null,
): Omit<Health, "resources"> {
  const away = [broker === "away" ? "broker is away" : "", memory === "away" ? "memory is away" : ""].filter((text) => text !== "");
  const offered = tools === 0 ? ["no tools registered"] : [];
  const hindered = away.length > 0 || loop?.hindered == null ? [] : [`the loop: ${loop.hindered}`];
  return {
    status: away.length + hindered.length === 0 ? "ok" : "degraded",
    detail: [...away, ...hindered, lacks, ...offered].join("; ").slice(0, 500),
    facts: { incidents: loop?.busy ?? 0, model: "none", tools: tools ?? 0, memory_events: memory_events ?? 0, broker, memory },
  };
}
