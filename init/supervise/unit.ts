/** One service as the state machine sees it. */

import type { ExitReason, ServiceState } from "../../contracts/service.ts";
import type { MachineSpec } from "./machine.ts";

export interface Unit {
  spec: MachineSpec;
  state: ServiceState;
  /** When the state was entered. */
  since: number;
  /** Why it is in this state, for people. */
  reason: string;
  /** Why it is being started, kept while it waits for others. */
  why: string;
  /** Somebody wants it to run. */
  wanted: boolean;
  /** Which process this is, counted from 1. */
  run: number;
  /** A process exists, or is being made. */
  alive: boolean;
  pid: number | null;
  spawned_at: number;
  heard_at: number;
  ready_after_ms: number | null;
  restarts: number;
  last_exit: ExitReason | null;
  /** Why the process is being ended. */
  cause: string | null;
  /** It is being ended because it failed. */
  failed: boolean;
  /** Why a start or restart was asked for while it was being ended for a failure: no wait comes after that. */
  asked: string | null;
  /** KILL was sent. */
  killed: boolean;
  /** How often it said at its start that it would give a sign of life; a new definition holds from its next start on. */
  heartbeat_ms: number;
  /** Failures since it was last stable: sets the wait. */
  attempt: number;
  /** When it failed lately, at most as many as make a crash loop. */
  failures: readonly number[];
  /** It was in a crash loop and has not been stable since. */
  probation: boolean;
  /** While it reloads its configuration: by when it has to say ready again. */
  reload_limit: number | null;
  /** Whether the reload that goes on, or was the last, was told as an event, and when one was last. */
  reload_told: boolean;
  reload_told_at: number | null;
  /** When time next matters in this state. */
  deadline: number | null;
}

export function newUnit(spec: MachineSpec, now: number): Unit {
  return {
    spec,
    state: "stopped",
    since: now,
    reason: "not asked for yet",
    why: "",
    wanted: false,
    run: 0,
    alive: false,
    pid: null,
    spawned_at: now,
    heard_at: now,
    ready_after_ms: null,
    restarts: 0,
    last_exit: null,
    cause: null,
    failed: false,
    asked: null,
    killed: false,
    heartbeat_ms: spec.heartbeat_ms,
    attempt: 0,
    failures: [],
    probation: false,
    reload_limit: null,
    reload_told: false,
    reload_told_at: null,
    deadline: null,
  };
}
