/** The power button, which is an input device with one key, and Ctrl-Alt-Del, which the kernel turns into a signal. */

import { readFileSync } from "node:fs";
import { names, reasonOf } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

/** linux/input-event-codes.h */
const EV_KEY = 1;
const KEY_POWER = 116;
const pressed = 1;
/** struct input_event on 64-bit: two words of time, type, code, value. */
const event_bytes = 24;
const word_bits = 64;

export const powerButton: Phase = {
  name: "power button",
  what: "The button and Ctrl-Alt-Del bring the system down in order",
  modes: "machine",
  limit_ms: 2000,
  run: async (boot) => {
    const found = lookForPowerButtons(boot);
    installCtrlAltDel(boot);
    try {
      boot.sys.power.reboot("cad-off");
    } catch (error) {
      return degraded(
        "Ctrl-Alt-Del",
        `it resets the machine at once: ${reasonOf(error)}`,
        "do not press it; use the power button or the console",
      );
    }
    if (found === 0) return done("no power button is here; Ctrl-Alt-Del is heard");
    return done(`${found} power button${found === 1 ? "" : "s"} and Ctrl-Alt-Del are heard`);
  },
};

/** Devices that are being read, by name. */
const followed = new Set<string>();

/** Begins to read every input device that has the key and is not read yet. @returns how many are read */
export function lookForPowerButtons(boot: BootContext): number {
  for (const name of names("/sys/class/input").filter((each) => /^event\d+$/.test(each))) {
    if (followed.has(name) || !hasKey(keyCapabilities(name), KEY_POWER)) continue;
    try {
      follow(boot, name);
    } catch (error) {
      boot.log("warning", `reading the power button "/dev/input/${name}" failed: ${reasonOf(error)}`);
    }
  }
  return followed.size;
}

function keyCapabilities(name: string): string {
  try {
    return readFileSync(`/sys/class/input/${name}/device/capabilities/key`, "utf8");
  } catch {
    return "";
  }
}

/** A bitmap as sysfs shows it: hexadecimal words of 64 bits, the highest first. */
export function hasKey(bitmap: string, key: number): boolean {
  const words = bitmap.trim().split(/\s+/).reverse();
  const word = words[Math.floor(key / word_bits)];
  if (word === undefined || !/^[0-9a-f]{1,16}$/i.test(word)) return false;
  return ((BigInt(`0x${word}`) >> BigInt(key % word_bits)) & 1n) === 1n;
}

function follow(boot: BootContext, name: string): void {
  const { descriptor } = boot.sys;
  const fd = descriptor.open(`/dev/input/${name}`, ["read"]);
  const buffer = Buffer.alloc(event_bytes * 16);
  const watch = descriptor.onReadable(fd, () => {
    try {
      for (let length = descriptor.read(fd, buffer); length !== null && length > 0; length = descriptor.read(fd, buffer)) {
        if (holdsPowerPress(buffer.subarray(0, length))) onPowerButton(boot);
      }
    } catch (error) {
      // ENODEV: it was pulled out
      watch.close();
      descriptor.close(fd);
      followed.delete(name);
      boot.log("notice", `the input device "${name}" is gone: ${reasonOf(error)}`);
    }
  });
  followed.add(name);
}

export function holdsPowerPress(bytes: Buffer): boolean {
  for (let at = 0; at + event_bytes <= bytes.length; at += event_bytes) {
    const type = bytes.readUInt16LE(at + 16);
    const code = bytes.readUInt16LE(at + 18);
    const value = bytes.readInt32LE(at + 20);
    if (type === EV_KEY && code === KEY_POWER && value === pressed) return true;
  }
  return false;
}

export function onPowerButton(boot: BootContext): void {
  boot.emit("power.button", "notice", { key: "power" });
  boot.requestShutdown("poweroff", "the power button was pressed");
}

/** After `cad-off` the kernel sends PID 1 a SIGINT for the three keys. */
export function installCtrlAltDel(boot: BootContext): void {
  process.on("SIGINT", () => {
    boot.emit("power.button", "notice", { key: "ctrl-alt-del" });
    boot.requestShutdown("reboot", "Ctrl-Alt-Del was pressed");
  });
}
