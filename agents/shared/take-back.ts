/** The calls of a decision or a plan, taken back together. */

import type { BrokerPeer } from "./ask-tool.ts";

const limit_ms = 600_000;
const plan_limit_ms = 30_000;

export interface TakenBack {
  /** In a clause: what was taken back, or why not. */
  readonly said: string;
  /** The calls whose effect is gone. */
  readonly calls: ReadonlySet<string>;
}

/** @param group decision or plan, as its calls name it. Never throws: that it could not be is on record too */
export async function takeBack(group: string, why: string, broker: () => BrokerPeer): Promise<TakenBack> {
  const target = { group };
  try {
    const { outcomes, plan } = await broker().call("undo/run", { target, reason: { text: why.slice(0, 1000) } }, limit_ms);
    const undone = plan.calls.filter((_, at) => outcomes[at]?.status === "done");
    const left = plan.calls.filter((one) => !undone.includes(one));
    const said = [
      undone.length === 0 ? "nothing was taken back" : `taken back: ${undone.map(({ tool }) => tool).join(", ")}`,
      ...(left.length === 0 ? [] : [`not taken back: ${left.map(({ tool }) => tool).join(", ")}`]),
    ].join("; ");
    return { said, calls: new Set(undone.map(({ call }) => call)) };
  } catch (error) {
    const said = (await changedNothing(group, broker))
      ? "there was nothing to take back"
      : `not taken back: ${error instanceof Error ? error.message : String(error)}`;
    return { said, calls: new Set() };
  }
}

/** Failed at the first call, or all of them only looked: then there is nothing that the broker could take back. */
async function changedNothing(group: string, broker: () => BrokerPeer): Promise<boolean> {
  try {
    return (await broker().call("undo/plan", { target: { group } }, plan_limit_ms)).calls.length === 0;
  } catch {
    return false;
  }
}
