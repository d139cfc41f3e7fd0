/**
 * Bring-up is a list of named phases that run one after the other. A phase that fails does not stop the boot: its failure
 * is recorded, said as a degradation, and the next phase runs. A phase that takes longer than its limit is left behind
 * (its work may still end later) and counts as failed.
 */

import type { MachineConfig } from "../../contracts/config.ts";
import type { EventKind, Facts, Severity } from "../../contracts/event.ts";
import type { Degradation, Hardware } from "../../contracts/init.ts";
import type { System } from "../../sys/system.ts";

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
  hostname: string;
  machine_id: string;
  boot_id: string;
  hardware: Hardware | null;
  data: { persistent: boolean; mount: string; device: string | null; detail: string };
  watchdog: { device: string | null; fd: number | null; timeout_s: number | null };
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
  /** Starts these services as soon as what they come after is ready; does not wait. */
  startServices(names: readonly string[]): void;
  /** Runs `work` when shutdown comes to "devices", before file systems are unmounted (save the seed, write the RTC). */
  onShutdown(what: string, work: () => void | Promise<void>): void;
}
