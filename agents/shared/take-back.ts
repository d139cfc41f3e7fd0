/** The calls of a decision, taken back together. */

import type { BrokerPeer } from "./ask-tool.ts";

const limit_ms = 600_000;

/** @returns in a clause what was taken back, or why not. Never throws: that it could not be is on record too */
export async function takeBack(decision: string, broker: () => BrokerPeer): Promise<string> {
  try {
    const reason = { text: `decision ${decision} did not help` };
    const { outcomes, plan } = await broker().call("undo/run", { target: { group: decision }, reason }, limit_ms);
    if (plan.obstacles.length > 0) return `not taken back: ${plan.obstacles.map((obstacle) => obstacle.why).join("; ")}`;
    return outcomes.length === 0 ? "there was nothing to take back" : `taken back: ${outcomes.map(({ tool }) => tool).join(", ")}`;
  } catch (error) {
    return `not taken back: ${error instanceof Error ? error.message : String(error)}`;
  }
}
