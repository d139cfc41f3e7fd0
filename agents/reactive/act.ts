/** Carries actions out by asking PID 1, and says in one line what came of it. */

import type { Action, Outcome } from "../../contracts/decision.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";

export interface Pid1 {
  /** Answers when the service is ready again or has failed to become so. */
  restart(service: string, reason: string): Promise<ServiceStatus>;
  reclaim(reason: string): Promise<{ readonly freed_bytes: number }>;
}

/** PID 1 says `conflict` while a service is on its way down; it is asked again until then. */
const conflict_tries = 30;
const conflict_wait_ms = 100;

type Result = Omit<Outcome, "after_ms">;

/** Never rejects: what goes wrong is an outcome too. */
export async function carryOut(action: Action, reason: string, pid1: Pid1, wait: (ms: number) => Promise<void>): Promise<Result> {
  try {
    if (action.do === "log") return { result: "done", detail: "recorded" };
    if (action.do === "restart") return restarted(await restart(action.service, reason, pid1, wait));
    const { freed_bytes } = await pid1.reclaim(reason);
    return { result: "done", detail: `${(freed_bytes / 1e6).toFixed(1)} MB freed` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { result: error instanceof RpcError && error.code === rpc_error.not_permitted ? "refused" : "failed", detail };
  }
}

async function restart(service: string, reason: string, pid1: Pid1, wait: (ms: number) => Promise<void>): Promise<ServiceStatus> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await pid1.restart(service, reason);
    } catch (error) {
      const again = error instanceof RpcError && error.code === rpc_error.conflict && tries < conflict_tries;
      if (!again) throw error;
      await wait(conflict_wait_ms);
    }
  }
}

function restarted(status: ServiceStatus): Result {
  if (status.state !== "ready") return { result: "failed", detail: `${status.name} is ${status.state}: ${status.reason}` };
  const after = status.ready_after_ms === null ? "" : ` after ${Math.round(status.ready_after_ms)} ms`;
  return { result: "done", detail: `${status.name} is ready${after}` };
}
