/** PID 1: wires the real parts together. Nothing that is thrown in here may end the process; see `maintenance.ts`. */

import { readFileSync, writeFileSync } from "node:fs";
import type { Severity } from "../contracts/event.ts";
import { linuxSystem } from "../sys/linux.ts";
import { phases } from "./boot/phases.ts";
import { BootClock } from "./clock.ts";
import { firstState } from "./defaults.ts";
import { Pid1, type Pid1Ports } from "./pid1.ts";
import { say } from "./serial.ts";

/** syslog(3) levels, as /dev/kmsg takes them. */
const kernel_level: Readonly<Record<Severity, number>> = { debug: 7, info: 6, notice: 5, warning: 4, error: 3, critical: 2 };
/** Facility "daemon": what is not from the kernel itself. */
const facility = 3 << 3;

export async function main(): Promise<void> {
  await becomePid1({});
}

/** @param replaced parts that tests replace */
export async function becomePid1(replaced: Partial<Pid1Ports>): Promise<void> {
  const clock = new BootClock();
  const marks: Record<string, number> = { kernel: 0 };
  const stage0_ms = Number(process.env["AIOS_STAGE0_NS"]) / 1e6;
  if (Number.isFinite(stage0_ms) && stage0_ms > 0) {
    marks["stage0"] = Math.round(stage0_ms);
    clock.refine(stage0_ms); // it is later than that, and /proc/uptime may be ten milliseconds behind
  }
  marks["init"] = Math.round(clock.now());
  // Environment and kernel files are read here, once. A container boots more often than its host: its boot has an id of its own.
  const mode = process.env["AIOS_MODE"] === "container" ? "container" : "machine";

  const pid1 = new Pid1({
    clock,
    mode,
    phases,
    state: firstState(text("/proc/cmdline"), mode === "container" ? crypto.randomUUID() : text("/proc/sys/kernel/random/boot_id").trim()),
    marks,
    loadSystem: linuxSystem,
    say,
    kernelLog: (severity, message) => logToKernel(mode, severity, message),
    exit: () => process.exit(0),
    ...replaced,
  });
  process.on("uncaughtException", (error) => pid1.maintenance.enter("PID 1's loop", error));
  process.on("unhandledRejection", (reason) => pid1.maintenance.enter("work of PID 1", reason));
  process.on("SIGTERM", () => {
    if (mode === "container") pid1.requestShutdown("poweroff", "SIGTERM from outside the container");
  });
  if (mode === "container") process.on("SIGINT", () => pid1.requestShutdown("reboot", "SIGINT from outside the container"));
  try {
    await pid1.boot();
  } catch (error) {
    pid1.maintenance.enter("bring-up", error);
  }
}

function logToKernel(mode: "machine" | "container", severity: Severity, message: string): void {
  const line = message.replaceAll("\n", " ").slice(0, 900);
  if (mode === "container") {
    say(`aios: ${severity}: ${line}`);
    return;
  }
  try {
    writeFileSync("/dev/kmsg", `<${facility | kernel_level[severity]}>aios: ${line}\n`);
  } catch {
    say(`aios: ${severity}: ${line}`);
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
