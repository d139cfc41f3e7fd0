/**
 * What was passed up to a strategic tier that does not run any more (a crash loop: PID 1 holds it back) comes back down, as if nobody
 * could be asked. While that tier lives it has the lease of what it works on; what waits for its turn may wait as long as it runs.
 */

import { takeBack } from "../shared/take-back.ts";
import type { Held, Incident } from "./incidents.ts";
import type { BasePorts } from "./ports.ts";
import { strategicAbove } from "./rounds.ts";
import type { Round } from "./run.ts";

const look_every_ms = 5000;
/** It may be starting. */
const usually_waits_ms = 60_000;
const why = "the strategic tier does not run";

export function orphanRound(
  { incidents, ask, log, boot_ms, ...ports }: BasePorts,
  waits_ms = usually_waits_ms,
  every_ms = look_every_ms,
): Round {
  let looked_ms = Number.NEGATIVE_INFINITY;
  let away_since_ms: number | null = null;
  return {
    busy: 0,
    async run() {
      if (boot_ms() - looked_ms < every_ms) return;
      looked_ms = boot_ms();
      const passed_up = (await incidents.open()).filter(isAbove);
      const is_away = passed_up.length > 0 && (await strategicAbove(ask)) === null;
      away_since_ms = is_away ? (away_since_ms ?? boot_ms()) : null;
      if (away_since_ms === null || boot_ms() - away_since_ms < waits_ms) return;
      for (const incident of passed_up) {
        const held = await incidents.take(incident);
        if (held === null) continue;
        try {
          if (isAbove(held.item)) await comeDown(held, ports);
        } finally {
          await held.release();
        }
        log.warn(`incident "${incident.id}" came back down: ${why}`);
      }
    },
  };
}

function isAbove({ body }: Incident): boolean {
  return body.tier === "strategic";
}

/**
 * What it had begun is taken back, for nobody knows how far it came; what it only watched is watched on. A call that waits for a person
 * is no other tier's to withdraw: whoever approves it still has it made.
 */
async function comeDown(held: Held, { broker }: Pick<BasePorts, "broker">): Promise<void> {
  const { state, body } = held.item;
  const down = { tier: "tactical", unasked: why };
  const said = `passed to tactical: ${why}`;
  if (state !== "acting" && state !== "waiting") {
    await held.edit(down, said);
    return;
  }
  const decision = body.decisions.at(-1);
  if (state === "acting" && decision !== undefined)
    await takeBack(decision, `the tier was ended in the midst of decision ${decision}`, broker);
  await held.move("deciding", said, { ...down, waits_for: null });
}
