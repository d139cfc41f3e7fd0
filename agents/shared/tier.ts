/** A tier with a model of this machine: it is connected, watches its neighbours, works on incidents, and says which model it has. */

import { join } from "node:path";
import type { CoreService, Health } from "../../contracts/service.ts";
import { createLog } from "../../wire/log.ts";
import { memoryRoom } from "../../wire/model-process/fit.ts";
import { localModelsOff } from "../../wire/model-process/switch.ts";
import { threadsFor } from "../../wire/model-process/threads.ts";
import { startService } from "../../wire/service.ts";
import type { BasePorts } from "../loop/ports.ts";
import { type Loop, type Round, runLoop } from "../loop/run.ts";
import { TierModel } from "../model/local/tier-model.ts";
import { type Neighbours, watchNeighbours } from "./neighbours.ts";

interface TierOptions {
  readonly name: Extract<CoreService, "operational" | "tactical">;
  readonly run: string;
  /** Runs a model; it and the numbers of threads are appended. */
  readonly think_command: readonly string[];
  /** Its work. */
  readonly rounds: (ports: BasePorts, model: TierModel) => readonly Round[];
}

/** The cgroups that limit a tier (init/boot/cgroups.ts). */
const slice = "/sys/fs/cgroup/tiers";

function modelOf({ name, run, think_command }: TierOptions): TierModel {
  const log = createLog();
  const groups = [
    { folder: slice, of: "the slice of the tiers" },
    { folder: `${slice}/${name}`, of: `the ${name} tier` },
  ];
  return new TierModel({
    file: join(run, "models", `${name}.json`),
    off: localModelsOff(),
    command: think_command,
    threads: threadsFor(groups.map(({ folder }) => folder)),
    room: () => memoryRoom(groups),
    log: (line) => log.info(line),
  });
}

export async function runTier(options: TierOptions): Promise<void> {
  const { name, run } = options;
  const model = modelOf(options);
  const neighbours = watchNeighbours(run, name);
  let loop: Loop | null = null;
  const service = await startService({
    name,
    run,
    health: () => tierHealth(model.health(), neighbours(), loop),
    onStop: () => model.stop(),
  });
  loop = await runLoop({ tier: name, run, log: createLog(), init: service.init, rounds: (ports) => options.rounds(ports, model) });
  service.ready(model.health().detail);
}

/** To have no model chosen is no fault; a neighbour that is away is one. */
export function tierHealth(
  model: ReturnType<TierModel["health"]>,
  { broker, memory, tools, memory_events }: Neighbours,
  loop: Loop | null = null,
): Omit<Health, "resources"> {
  const away = [broker === "away" ? "broker is away" : "", memory === "away" ? "memory is away" : ""].filter((text) => text !== "");
  const offered = tools === 0 ? ["no tools registered"] : [];
  const hindered = away.length > 0 || loop?.hindered == null ? [] : [`the loop: ${loop.hindered}`];
  return {
    status: away.length + hindered.length === 0 ? "ok" : "degraded",
    detail: [...away, ...hindered, model.detail, ...offered].join("; ").slice(0, 500),
    facts: { incidents: loop?.busy ?? 0, ...model.facts, tools: tools ?? 0, memory_events: memory_events ?? 0, broker, memory },
  };
}
