/** The rounds of the loop over incidents: those who look, and those who act. */

import { loadThresholds } from "../router/thresholds.ts";
import { gravity } from "../shared/standing.ts";
import type { Held, Incident } from "./incidents.ts";
import type { BasePorts, LoopPorts } from "./ports.ts";
import type { Round } from "./run.ts";
import { type Judge, triageAll } from "./triage.ts";
import { work } from "./work.ts";

/** An incident on which something went wrong is left alone for a while. */
const pause_after_error_ms = 10_000;
/** Those on which something is decided or done; whoever only watches whether it helped waits for minutes, and takes nobody's place. */
const at_once_max = 4;
const watched_max = 64;
const why = "whether the strategic tier runs";

export function triageRound({ incidents, standing, boot_ms, pace = 1 }: BasePorts, judge: Judge): Round {
  const over = new Map<string, number>();
  const thresholds = loadThresholds();
  return { busy: 0, run: () => triageAll({ judge, thresholds, incidents, standing, boot_ms, over, pace }) };
}

/** Works on what is this tier's, several at once. */
export function incidentRound({ incidents, log, ...base }: BasePorts, acting: Pick<LoopPorts, "tier" | "sources" | "learned">): Round {
  const ports: LoopPorts = { ...base, ...acting, thresholds: loadThresholds(), above: () => strategicAbove(base.ask) };
  const busy = new Map<string, Held>();
  const paused = new Map<string, number>();
  const workOn = async (held: Held): Promise<void> => {
    const { id } = held.item;
    busy.set(id, held);
    try {
      await work(held, ports).finally(() => held.release());
      paused.delete(id);
    } catch (error) {
      paused.set(id, performance.now() + pause_after_error_ms);
      log.warn(`working on incident "${id}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy.delete(id);
    }
  };
  const isFull = (): boolean => {
    const watched = [...busy.values()].filter(({ item }) => item.state === "watching").length;
    return busy.size - watched >= at_once_max || watched >= watched_max;
  };
  return {
    get busy() {
      return busy.size;
    },
    async run() {
      for (const incident of (await incidents.open()).sort(gravestFirst)) {
        const { id, body } = incident;
        if (body.tier !== ports.tier || busy.has(id) || isFull() || (paused.get(id) ?? 0) > performance.now()) continue;
        const held = await incidents.take(incident);
        if (held !== null) void workOn(held);
      }
    },
  };
}

/** Of the same gravity the oldest first, as they come. */
function gravestFirst(a: Incident, b: Incident): number {
  return gravity(b.body.severity) - gravity(a.body.severity);
}

export async function strategicAbove(ask: LoopPorts["ask"]): Promise<"strategic" | null> {
  const { services } = await ask("service.list", {}, why);
  return services.some(({ name, state }) => name === "strategic" && state === "ready") ? "strategic" : null;
}
