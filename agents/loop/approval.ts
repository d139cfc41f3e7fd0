/** What became of a call that waits for a person. */

import { rpc_error } from "../../contracts/rpc.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { RpcError } from "../../wire/peer.ts";
import type { BrokerPeer } from "../shared/ask-tool.ts";

/** @returns `null` while nobody has decided, or it runs since; `unknown`: the broker has no such call */
export async function decidedOf(call: string, broker: () => BrokerPeer): Promise<CallOutcome | "unknown" | null> {
  try {
    const { outcome } = await broker().call("calls/get", { call });
    return outcome === null || outcome.status === "waiting" ? null : outcome;
  } catch (error) {
    if (error instanceof RpcError && error.code === rpc_error.not_found) return "unknown";
    throw error;
  }
}

/** @returns whether nobody can approve it any more; false: it was approved, and is being made */
export async function withdraw(call: string, why: string, broker: () => BrokerPeer): Promise<boolean> {
  try {
    const { approval } = await broker().call("calls/get", { call });
    if (approval?.state !== "waiting") return false;
    await broker().call("calls/cancel", { call, reason: why });
    return true;
  } catch (error) {
    if (error instanceof RpcError && error.code === rpc_error.not_found) return true;
    throw error;
  }
}
