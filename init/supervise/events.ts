/** What goes into the state machine and what comes out of it. */

import type { Severity } from "../../contracts/event.ts";
import type { ExitReason, ServiceState } from "../../contracts/service.ts";

/** `run` counts the processes of one service: what belongs to an earlier process is recognised and ignored. */
export type MachineEvent =
  | { readonly type: "start"; readonly service: string; readonly reason: string }
  | { readonly type: "stop"; readonly service: string; readonly cause: string }
  | { readonly type: "restart"; readonly service: string; readonly reason: string }
  | { readonly type: "spawned"; readonly service: string; readonly run: number; readonly pid: number }
  | { readonly type: "spawn-failed"; readonly service: string; readonly run: number; readonly error: string }
  | { readonly type: "ready"; readonly service: string; readonly run: number; readonly detail: string }
  | { readonly type: "alive"; readonly service: string; readonly run: number }
  | { readonly type: "extend"; readonly service: string; readonly run: number; readonly by_ms: number }
  /** It says of itself that it hangs (WATCHDOG=trigger). */
  | { readonly type: "stuck"; readonly service: string; readonly run: number }
  /** It reads its configuration anew, and will say ready again (RELOADING=1). */
  | { readonly type: "reloading"; readonly service: string; readonly run: number }
  /** It ends of its own accord (STOPPING=1). */
  | { readonly type: "leaving"; readonly service: string; readonly run: number }
  | {
      readonly type: "exited";
      readonly service: string;
      readonly run: number;
      readonly status: number | null;
      readonly signal: string | null;
    }
  /** From now on nothing is started any more. */
  | { readonly type: "hold" }
  /** `strain`: the part of the last seconds in which somebody had to wait for a processor, 0 to 1; left out: as before. */
  | { readonly type: "tick"; readonly strain?: number };

export type Action =
  | { readonly do: "spawn"; readonly service: string; readonly run: number }
  | { readonly do: "term"; readonly service: string; readonly run: number }
  /** Ends the process and everything that it started. */
  | { readonly do: "kill"; readonly service: string; readonly run: number }
  | {
      readonly do: "report-state";
      readonly service: string;
      readonly from: ServiceState;
      readonly to: ServiceState;
      readonly reason: string;
      readonly severity: Severity;
    }
  | { readonly do: "report-exit"; readonly service: string; readonly pid: number; readonly exit: ExitReason; readonly uptime_ms: number }
  | { readonly do: "report-hang"; readonly service: string; readonly pid: number; readonly silent_ms: number };
