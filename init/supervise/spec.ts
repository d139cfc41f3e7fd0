/** What PID 1 has to know of a service in order to run it. Filled in by `table.ts` (ours) and `boot/programs.ts` (foreign). */

import type { Limits } from "../../contracts/config.ts";
import type { Slice } from "../boot/cgroups.ts";
import type { Profile } from "./sandbox.ts";

/**
 * How a service says that it does its job: `rpc` on its socket with PID 1, `notify` by sd_notify(3), `exec` not at all
 * (it counts as ready once it runs).
 */
export type Readiness = "rpc" | "notify" | "exec";

export interface ServiceSpec {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Services that are looked at before this one starts. The order is soft: see the essay in `machine.ts`. */
  readonly after: readonly string[];
  readonly slice: Slice;
  readonly uid: number;
  readonly gid: number;
  readonly ready: Readiness;
  /** Whether it is started again when it ends by itself: whatever its status, unless that is 0, or not at all. */
  readonly restart: "always" | "on-failure" | "never";
  /** Milliseconds without a sign of life after which a ready service counts as hung; 0: it is not asked for one. */
  readonly heartbeat_ms: number;
  /** Milliseconds from spawn to ready. */
  readonly start_limit_ms: number;
  /** Milliseconds from TERM to KILL. */
  readonly stop_limit_ms: number;
  /** -1000 never chosen by the OOM killer, 1000 first. */
  readonly oom_score: number;
  /** Whether the OOM killer ends all its processes when it ends one. */
  readonly oom_ends: "all" | "one";
  /** Whether what it has not touched for long may be taken from it and lie in compressed swap. */
  readonly swap: boolean;
  readonly limits: Limits;
  readonly sandbox: Profile | null;
  /** Folders that are there, and its own, before it starts. */
  readonly writes: readonly string[];
  /** Without a sandbox, and as root: the capabilities that it keeps; null: all. */
  readonly capabilities: readonly string[] | null;
}
