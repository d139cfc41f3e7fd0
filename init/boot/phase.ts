/**
 * Bring-up is a list of named phases that run one after the other. A phase that fails does not stop the boot: its failure
 * is recorded, said as a degradation, and the next phase runs. A phase that takes longer than its limit is left behind
 * (its work may still end later) and counts as failed.
 */

import type { MachineConfig } from "../../contracts/config.ts";
import type { EventKind, Facts, Severity } from "../../contracts/event.ts";
import type { Degradation, Hardware, ShutdownAction } from "../../contracts/init.ts";
import type { System } from "../../sys/system.ts";
import type { Program } from "./programs.ts";

export interface PhaseResult {
  readonly outcome: "done" | "degraded";
  /** What was done, or what is missing, in one line. */
  readonly detail: string;
  /** Given when `degraded`: what people will miss, and what they can do about it. */
  readonly degradation?: Degradation;
}

export interface Phase {
  readonly name: string;
  /** What it is for, in one line. */
  readonly what: string;
  /** `machine` phases are skipped in container mode, where the host owns the hardware. */
  readonly modes: "both" | "machine";
  readonly limit_ms: number;
  run(boot: BootContext): Promise<PhaseResult>;
}

/** What phases share. Filled in by them in order; only `init/` sees it. */
export interface BootState {
  /** Kernel command line (Documentation/admin-guide/kernel-parameters.rst). */
  readonly command_line: ReadonlyMap<string, string>;
  config: MachineConfig;
  config_source: {
    /** Null: there was none, the defaults hold. */
    found: { readonly where: string; readonly bytes: Uint8Array } | null;
    /** Block devices that the boot looked at for it, by name. */
    seen: Set<string>;
    /** What will come of a config that was plugged in later. */
    next: { readonly device: string; readonly detail: string } | null;
  };
  machine_id: string;
  boot_id: string;
  hardware: Hardware | null;
  /** `mended`: its file system was damaged at this start. */
  data: { persistent: boolean; mount: string; device: string | null; detail: string; mended: boolean };
  /** `from`: where the time came from at boot. `servers`: those that chronyd was given. */
  clock: { from: string; servers: readonly string[]; synchronised: boolean; error_ms: number | null };
  /** `petted_ms`: CLOCK_BOOTTIME of the last time that it was petted. */
  watchdog: { device: string | null; fd: number | null; timeout_s: number | null; petted_ms: number | null };
}

/** One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg). */
export interface KernelRecord {
  /** syslog(2) level, 0 (emergency) to 7 (debug). */
  readonly priority: number;
  readonly sequence: number;
  /** Microseconds on the kernel's own clock (about CLOCK_MONOTONIC). */
  readonly at_us: number;
  /** Untrusted: names of devices, files and processes are in it. */
  readonly message: string;
}

export interface BootContext {
  readonly sys: System;
  readonly mode: "machine" | "container";
  readonly state: BootState;
  /** Makes an event with source `init`. */
  emit<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>, untrusted?: string): void;
  /** A line in the log of PID 1 (and on the kernel log, when `severity` is warning or worse). */
  log(severity: Severity, message: string): void;
  /** Adds what does not work; shown first in the status. The same `what` replaces. `null` takes it back. */
  degrade(what: string, degradation: Degradation | null): void;
  /** Loads what services may ask of PID 1; what they said before is heard then. */
  openControl(): Promise<void>;
  /** Starts these services as soon as what they come after is ready; does not wait. */
  startServices(names: readonly string[]): void;
  /** Runs `work` when shutdown comes to "devices", before file systems are unmounted (save the seed, write the RTC). */
  onShutdown(what: string, work: () => void | Promise<void>): void;
  /** For the log hub: a line of the kernel log, stream `kernel`, in order, from the first one the kernel still has. */
  kernelLine(record: KernelRecord): void;
  /** Begins the way down; a second request while one is under way changes nothing. */
  requestShutdown(action: ShutdownAction, reason: string): void;
  /**
   * Adds a well-kept program (`programs.ts`) to the services and starts it. With the name of one that runs, the new
   * definition replaces the old one and the program is restarted; `null` stops it and takes it away.
   */
  runProgram(name: string, program: Program | null, reason: string): void;
  /** Says that Bun collects this child (a helper such as blkid): the reaper of orphans leaves it alone. */
  ownChild(pid: number, exited: Promise<unknown>): void;
  /** The loop of supervision turns and keeps up: asked before the watchdog is petted. */
  isHealthy(): boolean;
}
