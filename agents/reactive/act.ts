/** Carries actions out by asking PID 1, and says in one line what came of it. */

import type { Action, Outcome } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";

export interface Pid1 {
  /** How the service is; null when PID 1 knows none of that name. */
  status(service: string): Promise<ServiceStatus | null>;
  /** At once, where it waits for its turn; nothing where it is started or runs already. Answers as `restart`. */
  start(service: string, reason: string): Promise<ServiceStatus>;
  /** Answers when the service is ready again or has failed to become so. */
  restart(service: string, reason: string): Promise<ServiceStatus>;
  reclaim(reason: string): Promise<{ readonly freed_bytes: number }>;
}

export interface Deed {
  readonly action: Action;
  readonly reason: string;
  readonly trigger: Event;
}

/** PID 1 says `conflict` while a service is on its way down; it is asked again until then. */
const conflict_tries = 30;
const conflict_wait_ms = 100;
/** How often it is looked whether a service that PID 1 starts by itself is ready, and how often at most. */
const look_wait_ms = 200;
const looks_max = 300;

type Result = Omit<Outcome, "after_ms">;
type Wait = (ms: number) => Promise<unknown>;

/** Never rejects: what goes wrong is an outcome too. */
export async function carryOut({ action, reason, trigger }: Deed, pid1: Pid1, wait: Wait): Promise<Result> {
  try {
    if (action.do === "log") return { result: "done", detail: "recorded" };
    if (action.do === "restart") return await bringBack(action.service, endedIn(trigger), reason, pid1, wait);
    const { freed_bytes } = await pid1.reclaim(reason);
    return { result: "done", detail: `${(freed_bytes / 1e6).toFixed(1)} MB freed` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { result: isRefusal(error) ? "refused" : "failed", detail };
  }
}

/**
 * PID 1 restarts what died by itself, after a wait. Asked late, a restart would end the process that it has started
 * meanwhile: so it is asked only while there is none, or still the one that the event is about. What PID 1 holds back stays so: that is the
 * floor, and a person's, or the playbook's of the alarm, to lift.
 */
async function bringBack(service: string, ended: number | undefined, reason: string, pid1: Pid1, wait: Wait): Promise<Result> {
  const status = await pid1.status(service);
  if (status?.state === "stopped") return { result: "refused", detail: `${service} was stopped meanwhile: ${status.reason}` };
  if (status?.state === "crash-loop")
    return { result: "refused", detail: `${service} keeps ending, and PID 1 holds it back: ${status.reason}` };
  const runs_again = status?.state === "starting" || (status?.state === "ready" && ended !== undefined && status.pid !== ended);
  // PID 1 may start it between that look and this word: a restart would then end the new process at once
  const is_due = status?.state === "backoff" || status?.state === "waiting";
  if (!runs_again) return restarted(await asked(() => (is_due ? pid1.start(service, reason) : pid1.restart(service, reason)), wait));
  const { result, detail } = restarted(await settled(service, status, pid1, wait));
  return { result, detail: `${detail}; PID 1 had started it already` };
}

async function settled(service: string, first: ServiceStatus, pid1: Pid1, wait: Wait): Promise<ServiceStatus> {
  let status = first;
  for (let looks = 0; status.state === "starting" && looks < looks_max; looks += 1) {
    await wait(look_wait_ms);
    status = (await pid1.status(service)) ?? status;
  }
  return status;
}

async function asked(ask: () => Promise<ServiceStatus>, wait: Wait): Promise<ServiceStatus> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
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

function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && (error.code === rpc_error.not_permitted || error.code === rpc_error.conflict);
}

/** The process that the event is about; undefined: it is about none, and whichever runs is to begin anew. */
function endedIn({ facts }: Event): number | undefined {
  return "pid" in facts ? facts.pid : undefined;
}
