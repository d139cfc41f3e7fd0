/**
 * What was passed up to a strategic tier that does not run any more (a crash loop: PID 1 holds it back) comes back down, as if nobody
 * could be asked. While that tier lives it has the lease of what it works on; what waits for its turn may wait as long as it runs.
 */

import type { BasePorts } from "./ports.ts";
import { strategicAbove } from "./rounds.ts";
import type { Round } from "./run.ts";

const look_every_ms = 5000;
/** It may be starting. */
const usually_waits_ms = 60_000;
const why = "the strategic tier does not run";

export function orphanRound({ incidents, ask, log, boot_ms }: BasePorts, waits_ms = usually_waits_ms, every_ms = look_every_ms): Round {
  let looked_ms = Number.NEGATIVE_INFINITY;
  let away_since_ms: number | null = null;
  return {
    busy: 0,
    async run() {
      if (boot_ms() - looked_ms < every_ms) return;
      looked_ms = boot_ms();
      const passed_up = (await incidents.open()).filter(({ state, body }) => state === "deciding" && body.tier === "strategic");
      const is_away = passed_up.length > 0 && (await strategicAbove(ask)) === null;
      away_since_ms = is_away ? (away_since_ms ?? boot_ms()) : null;
      if (away_since_ms === null || boot_ms() - away_since_ms < waits_ms) return;
      for (const incident of passed_up) {
        const held = await incidents.take(incident);
        if (held === null) continue;
        try {
          const { state, body } = held.item;
          if (state === "deciding" && body.tier === "strategic")
            await held.edit({ tier: "tactical", unasked: why }, `passed to tactical: ${why}`);
        } finally {
          await held.release();
        }
        log.warn(`incident "${incident.id}" came back down: ${why}`);
      }
    },
  };
}
