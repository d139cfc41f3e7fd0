/**
 * The hardware watchdog (Documentation/watchdog/watchdog-api.rst). It is opened before anything can hang, and petted only
 * while the supervision loop is healthy: a PID 1 that hangs, or that turns without doing its work, ends in a reset.
 */

import { names } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

/** Until the machine config is read. */
const first_timeout_s = 30;
/**
 * For a restart or kexec, from reboot(2) until the next PID 1 opens it: some firmware needs minutes, and does not stop a watchdog
 * (systemd-system.conf(5) has RebootWatchdogSec= for the same, ten minutes, which is more than some devices can count to).
 */
const restart_timeout_s = 300;
/** A watchdog is petted this many times within its timeout, at least once every five seconds. */
const pets_in_timeout = 4;
const pet_interval_ms_max = 5000;
/** Petted this late, it is near its end. */
const near_ratio = 0.5;

export const openWatchdog: Phase = {
  name: "watchdog",
  what: "A device that resets the machine when PID 1 does not turn any more",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    const device = names("/dev").find((name) => /^watchdog\d+$/.test(name)) ?? names("/dev").find((name) => name === "watchdog");
    if (device === undefined)
      return degraded(
        "watchdog",
        "this machine has no hardware watchdog: when PID 1 or the kernel hangs, it stays hung",
        "use a machine with a watchdog (in QEMU: -device i6300esb)",
      );
    const path = `/dev/${device}`;
    const fd = boot.sys.descriptor.open(path, ["write"]); // from here on it runs
    boot.state.watchdog = { device: path, fd, timeout_s: null, petted_ms: null };
    setTimeout_s(boot, first_timeout_s);
    pet(boot);
    startWatchdog(boot);
    return done(`"${path}" (${identity(boot, fd)}) resets the machine after ${boot.state.watchdog.timeout_s ?? "an unknown number of"} s`);
  },
};

export const configureWatchdog: Phase = {
  name: "watchdog timeout",
  what: "The timeout that the machine config asks for",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    const wanted_s = boot.state.config.watchdog.timeout_s;
    if (boot.state.watchdog.fd === null) return done("there is no watchdog");
    setTimeout_s(boot, wanted_s);
    const got_s = boot.state.watchdog.timeout_s;
    if (got_s === wanted_s) return done(`${got_s} s`);
    return degraded(
      "watchdog timeout",
      `the watchdog took ${got_s ?? "no timeout at all"} instead of ${wanted_s} s`,
      'change "watchdog.timeout_s" in aios.yaml',
    );
  },
};

function identity(boot: BootContext, fd: number): string {
  try {
    return boot.sys.device.watchdogIdentity(fd);
  } catch {
    return "without a name";
  }
}

/** Devices with a fixed timeout refuse; then what they have is what counts. */
function setTimeout_s(boot: BootContext, wanted_s: number): void {
  const { watchdog } = boot.state;
  if (watchdog.fd === null) return;
  try {
    watchdog.timeout_s = boot.sys.device.watchdogSetTimeout(watchdog.fd, wanted_s);
  } catch {
    try {
      watchdog.timeout_s = boot.sys.device.watchdogTimeout(watchdog.fd);
    } catch {
      watchdog.timeout_s = null;
    }
  }
}

function pet(boot: BootContext): void {
  const { watchdog } = boot.state;
  if (watchdog.fd === null) return;
  boot.sys.device.watchdogPet(watchdog.fd);
  watchdog.petted_ms = boot.sys.clock.nowMs("boottime");
}

/** One look: pets when healthy, and says once when it was not petted for half of its time. Exported for tests. */
export function watchdogTurn(boot: BootContext, said: { near: boolean }): void {
  const { fd, timeout_s, petted_ms } = boot.state.watchdog;
  if (fd === null) return;
  const timeout_ms = (timeout_s ?? first_timeout_s) * 1000;
  const late_ms = petted_ms === null ? 0 : boot.sys.clock.nowMs("boottime") - petted_ms;
  // an answer late by itself (the loop stood still) is told too, although it is petted right after
  if (late_ms > timeout_ms * near_ratio) {
    if (!said.near) boot.emit("watchdog.near", "critical", { left_ms: Math.max(0, Math.round(timeout_ms - late_ms)) });
    said.near = true;
  }
  if (!boot.isHealthy()) return;
  pet(boot);
  said.near = false;
}

/**
 * Pets from now on, whenever a watchdog is open and `boot.isHealthy()`. A failure is logged, and is not the end.
 * @returns how to stop
 */
function startWatchdog(boot: BootContext): () => void {
  const said = { near: false };
  let timer: NodeJS.Timeout;
  const turn = (): void => {
    try {
      watchdogTurn(boot, said);
    } catch (error) {
      boot.log("error", `petting the watchdog failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    const timeout_ms = (boot.state.watchdog.timeout_s ?? first_timeout_s) * 1000;
    timer = setTimeout(turn, Math.min(pet_interval_ms_max, timeout_ms / pets_in_timeout));
  };
  timer = setTimeout(turn, 0);
  return () => clearTimeout(timer);
}

/**
 * The last thing before reboot(2). At a clean power-off it is told to stop (the "magic close"), for a machine that is
 * slow to switch off must not be reset; else it stays armed, so that a restart that hangs ends in a reset, with time enough for
 * whatever comes between. Never throws.
 */
export function releaseWatchdog(boot: BootContext, clean_poweroff: boolean): void {
  const { watchdog } = boot.state;
  if (watchdog.fd === null) return;
  try {
    if (!clean_poweroff && (watchdog.timeout_s ?? 0) < restart_timeout_s) setTimeout_s(boot, restart_timeout_s);
    pet(boot);
    if (!clean_poweroff) return;
    boot.sys.descriptor.write(watchdog.fd, Buffer.from("V"));
    boot.sys.descriptor.close(watchdog.fd);
    watchdog.fd = null;
  } catch (error) {
    boot.log("warning", `releasing the watchdog failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
