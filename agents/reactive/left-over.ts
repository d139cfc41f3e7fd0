/**
 * What an earlier process of this tier began by a playbook that became a rule, and did not bring to an end: its calls are taken back and it is on
 * record as failed, so that nobody builds on half of it, and the incident that waits for its end goes on.
 */

import type { Decision } from "../../contracts/decision.ts";
import type { MemoryPeer } from "../loop/incidents.ts";
import type { BrokerPeer } from "../shared/ask-tool.ts";
import { takeBack } from "../shared/take-back.ts";

/** Rules carry a handful of tries at once, and a tier is back within seconds. */
const looked_at = 50;

export interface LeftOverPorts {
  /** Each throws while its server is away. */
  readonly memory: () => Pick<MemoryPeer, "call">;
  readonly broker: () => BrokerPeer;
  /** The short id of this boot: what an earlier boot left is over. */
  readonly boot: string;
  readonly boot_ms: () => number;
  readonly record: (decision: Decision) => void;
}

/** @param began_ms when this process began, on the boot clock @returns how many there were */
export async function endLeftOver(began_ms: number, { memory, broker, boot, boot_ms, record }: LeftOverPorts): Promise<number> {
  broker(); // what cannot be taken back now is left for the next time
  const decisions = await memory().call("decisions.list", { limit: looked_at });
  const left = decisions.filter(
    ({ id, tier, rule, outcome, boot_ms: made_ms }) =>
      tier === "reactive" &&
      outcome.result === "pending" &&
      rule.startsWith("playbook ") &&
      id.startsWith(`${boot}-`) &&
      made_ms < began_ms,
  );
  for (const decision of left) {
    const { said } = await takeBack(decision.id, `the tier was ended in the midst of decision ${decision.id}`, broker);
    const after_ms = Math.max(0, Math.round(boot_ms() - decision.boot_ms));
    record({
      ...decision,
      outcome: { result: "failed", detail: `the tier was ended in the midst of it; ${said}`.slice(0, 1000), after_ms },
    });
  }
  return left.length;
}
