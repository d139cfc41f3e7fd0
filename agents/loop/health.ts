/** How well the system is, in figures that are compared before and after something was done. */

import type { AskTool } from "../shared/ask-tool.ts";
import type { Standing } from "../shared/standing.ts";
import { matterOf } from "../shared/standing.ts";
import type { BasePorts } from "./ports.ts";
import { sooner } from "./sooner.ts";

const why = "how well the system is, before and after something is done about an incident";
/** What is only a warning (the processor is busy) comes and goes without our doing. */
const grave = new Set(["error", "critical"]);
/** A service that starts, or an alarm of a moment, is no harm yet. */
const lasting_ms = 30_000;
const lasting_ms_min = 10_000;
const look_every_ms = 1_000;
const not_running = new Set(["waiting", "starting", "backoff", "crash-loop"]);

export type Measured = Readonly<Record<string, number>>;

/** @param matter what the incident is about: the alarm itself says nothing of side effects */
export async function measureHealth(ask: AskTool, standing: Standing, matter: string): Promise<Measured> {
  const { services } = await ask("service.list", {}, why);
  return {
    other_alarms: standing.all().filter((event) => matterOf(event) !== matter && grave.has(event.severity)).length,
    services_down: services.filter(({ state }) => state !== null && not_running.has(state)).length,
  };
}

/** @returns in words what is worse now, or null */
export function worseThan(before: Measured, after: Measured): string | null {
  const worse = Object.keys(before).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
  return worse.length === 0 ? null : worse.map((name) => `${name} rose from ${before[name]} to ${after[name]}`).join(", ");
}

/** Looks again for a while before it calls the system worse. @returns in words what is worse and stays so, or null */
export async function lastinglyWorse(
  before: Measured,
  measure: () => Promise<Measured>,
  { wait, pace }: Pick<BasePorts, "wait" | "pace">,
): Promise<string | null> {
  for (let left_ms = sooner(lasting_ms, lasting_ms_min, pace); ; left_ms -= look_every_ms) {
    const worse = worseThan(before, await measure());
    if (worse === null || left_ms <= 0) return worse;
    await wait(look_every_ms);
  }
}
