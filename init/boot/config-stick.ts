/**
 * A stick labelled AIOS-CONFIG that is plugged in while the system runs. Its config is read and checked at once, and the
 * status says what will come of it: it takes effect at the next boot. Nothing of it is applied before: half of a new
 * config (a new name on an old network) is worse than either.
 */

import { isDeepStrictEqual } from "node:util";
import { type BlockDevice, passing, probeBlockDevices } from "./block.ts";
import { names, reasonOf } from "./files.ts";
import { config_label, type FoundConfig, fromStick, fw_cfg_where } from "./find-config.ts";
import type { BootContext, Phase } from "./phase.ts";
import { done } from "./result.ts";

/** The key of its degradation. */
const stick = "config stick";

/** Names that came before the boot's own look was over, in order; null since then. */
const waiting = new WeakMap<BootContext, Set<string> | null>();

/** How often a device of this name was pulled out: what is read of one meanwhile says nothing any more. */
const pulled = new Map<string, number>();

export const configSticks: Phase = {
  name: "config sticks",
  what: "Sticks labelled AIOS-CONFIG that are plugged in from here on, or came too late to be read before",
  modes: "machine",
  limit_ms: 10_000,
  run: async (boot) => {
    const late = waiting.get(boot) ?? new Set<string>();
    waiting.set(boot, null);
    for (const name of late) void look(boot, name); // nobody waits for it, as for one that is plugged in later
    return done(late.size === 0 ? "none came meanwhile" : `${late.size} devices came meanwhile`);
  },
};

/** A block device is there (a disk or a partition). */
export function stickPlugged(boot: BootContext, name: string): void {
  if (passing.test(name)) return;
  const queue = waiting.get(boot);
  if (queue === null) void look(boot, name);
  else waiting.set(boot, (queue ?? new Set<string>()).add(name));
}

/** A block device has gone. */
export function stickPulled(boot: BootContext, name: string): void {
  const { config_source } = boot.state;
  pulled.set(name, (pulled.get(name) ?? 0) + 1);
  waiting.get(boot)?.delete(name);
  config_source.seen.delete(name);
  if (config_source.next?.device !== name) return;
  config_source.next = null;
  boot.degrade(stick, null);
  boot.log("notice", `the config stick "/dev/${name}" was pulled out: the next boot will not find it`);
}

/** Never throws. */
async function look(boot: BootContext, name: string): Promise<void> {
  if (boot.state.config_source.seen.has(name)) return; // the boot itself has looked at it
  try {
    if (!names("/sys/class/block").includes(name)) return; // gone already
    const device = (await probeBlockDevices(boot, [name]))[0];
    if (device?.answers === false) throw new Error("it does not answer");
    if (device?.label === config_label) await take(boot, device);
  } catch (error) {
    boot.log("warning", `looking for a config on "/dev/${name}" failed: ${reasonOf(error)}`);
  }
}

/** What will become of the config on this device. */
export async function take(boot: BootContext, device: BlockDevice, read: typeof fromStick = fromStick): Promise<void> {
  const problems: string[] = [];
  const times = pulled.get(device.name);
  const found = await read(boot, device, problems);
  if (found === null) problems.push(`"${device.path}" is labelled ${config_label}, and there is no aios.yaml on it that can be read`);
  const { outcome, detail } = found === null ? refusal(problems) : await judge(boot, found);
  if (pulled.get(device.name) !== times) return;
  boot.state.config_source.next = { device: device.name, detail };
  boot.degrade(
    stick,
    outcome === "refused" ? { what: stick, detail, todo: "correct it and plug it in again; until then nothing changes" } : null,
  );
  boot.emit("config.found", outcome === "refused" ? "warning" : "notice", { where: found?.where ?? device.path, outcome, detail });
  boot.log(outcome === "refused" ? "warning" : "notice", detail);
}

interface Judgement {
  readonly outcome: "next-boot" | "same" | "unused" | "refused";
  readonly detail: string;
}

function refusal(problems: readonly string[]): Judgement {
  return { outcome: "refused", detail: problems.join("; ") };
}

async function judge(boot: BootContext, { where, bytes }: FoundConfig): Promise<Judgement> {
  const { parseConfig } = await import("./config.ts");
  const { config, problems } = parseConfig(bytes);
  if (config === null) return refusal([`${where} would not be used: ${problems.join("; ")}`]);
  if (boot.state.config_source.found?.where === fw_cfg_where)
    return { outcome: "unused", detail: `${where} is right, and is not used: ${fw_cfg_where} comes first` };
  if (isDeepStrictEqual(config, boot.state.config)) return { outcome: "same", detail: `${where} says what holds already` };
  return { outcome: "next-boot", detail: `${where} is right; it takes effect at the next boot, while it stays plugged in` };
}
