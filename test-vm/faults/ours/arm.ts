/** Our system as an arm of the comparison. */

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "../fault.ts";
import type { Told } from "../result.ts";
import { takeSnapshot } from "../snapshot.ts";
import type { Arm } from "../trial.ts";
import { type Ours, quiet } from "./system.ts";
import { alarmsSince, decisionsSince, helped, incidentsOf, learnedOf, noticedAt, spentOn, type Watched } from "./watch.ts";

export function armOf<G extends Ours>(ours: G): Arm<G> {
  return {
    ground: ours,
    snapshot: () => takeSnapshot(ours),
    repair_limit_ms: 180_000,
    quiet: (limit_ms) => quiet(ours, limit_ms),
    async mend() {
      for (const tool of ["net.declared", "sys.declared"]) await ours.aiosctl.call(tool, { restore: true });
      restoreDatabase(ours);
      for (const name of ["web", "shop", "clerk"] as const) await ours.aiosctl.call("service.restart", { name });
    },
    told: (since_ms, fault) => toldBy(ours, since_ms, fault),
  };
}

export async function toldBy(ours: Watched, since_ms: number, fault: Pick<Fault, "noticed"> | null): Promise<Told> {
  const since_boot_ms = await onBootClock(ours, since_ms);
  const alarms = await alarmsSince(ours, since_boot_ms);
  const decisions = await decisionsSince(ours, since_boot_ms);
  const incidents = alarms.length === 0 ? [] : await incidentsOf(ours, alarms);
  const at_ms = fault === null ? null : noticedAt(fault, alarms, decisions);
  const best = helped(decisions);
  const after = (boot_ms: number | null | undefined): number | null => (boot_ms == null ? null : Math.max(0, boot_ms - since_boot_ms));
  return {
    ...{ detected: at_ms !== null, detected_ms: after(at_ms), decided_ms: after(best?.boot_ms) },
    incidents: incidents.map(({ state }) => state),
    ...{ tier: best?.tier ?? null, rule: best?.rule ?? null },
    ...spentOn(decisions, incidents),
    alarms: [...new Set(alarms.map(({ facts }) => `${facts.alarm} ${facts.subject}`))],
    learned: fault === null ? null : await learnedOf(ours, fault.noticed.alarms),
  };
}

/** A moment by this host's clock on the system's own that never steps: what goes wrong may be its wall clock. */
async function onBootClock({ container }: Watched, at_ms: number): Promise<number> {
  const { uptime_ms } = await container.console.call("status");
  return uptime_ms - (Date.now() - at_ms);
}

function restoreDatabase({ folders }: Ours): void {
  copyFileSync(join(folders.backup, "shop/shop.db"), join(folders.srv, "shop/shop.db"));
}
