/** The rounds of the loop over incidents: those who look, and those who act. */

import { loadThresholds } from "../router/thresholds.ts";
import type { BasePorts, LoopPorts } from "./ports.ts";
import type { Round } from "./run.ts";
import { type Judge, triageAll } from "./triage.ts";
import { work } from "./work.ts";

/** An incident on which something went wrong is left alone for a while. */
const pause_after_error_ms = 10_000;
const at_once_max = 4;
const why = "whether the strategic tier runs";

export function triageRound({ incidents, standing, boot_ms, pace = 1 }: BasePorts, judge: Judge): Round {
  const over = new Map<string, number>();
  const thresholds = loadThresholds();
  return { busy: 0, run: () => triageAll({ judge, thresholds, incidents, standing, boot_ms, over, pace }) };
}

/** Works on what is this tier's, several at once. */
export function incidentRound({ incidents, log, ...base }: BasePorts, acting: Pick<LoopPorts, "tier" | "sources" | "learned">): Round {
  const ports: LoopPorts = { ...base, ...acting, thresholds: loadThresholds(), above: () => strategicAbove(base.ask) };
  const busy = new Set<string>();
  const paused = new Map<string, number>();
  const workOn = async (id: string, one: () => Promise<void>): Promise<void> => {
    busy.add(id);
    try {
      await one();
      paused.delete(id);
    } catch (error) {
      paused.set(id, performance.now() + pause_after_error_ms);
      log.warn(`working on incident "${id}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy.delete(id);
    }
  };
  return {
    get busy() {
      return busy.size;
    },
    async run() {
      for (const incident of await incidents.open()) {
        const { id, body } = incident;
        if (body.tier !== ports.tier || busy.has(id) || busy.size >= at_once_max || (paused.get(id) ?? 0) > performance.now()) continue;
        const held = await incidents.take(incident);
        if (held !== null) void workOn(id, () => work(held, ports).finally(() => held.release()));
      }
    },
  };
}

export async function strategicAbove(ask: LoopPorts["ask"]): Promise<"strategic" | null> {
  const { services } = await ask("service.list", {}, why);
  return services.some(({ name, state }) => name === "strategic" && state === "ready") ? "strategic" : null;
}
