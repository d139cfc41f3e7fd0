/** Where the machine config comes from, and what happens when it is bad: the machine runs with the defaults and says why. */

import { readFileSync, statSync } from "node:fs";
import { run_dir } from "../../contracts/paths.ts";
import { default_config } from "../defaults.ts";
import { type BlockDevice, probe_limit_ms, probeBlockDevices, rootDisk, silentOnes, systemPartitions } from "./block.ts";
import { reasonOf } from "./files.ts";
import { look_limit_ms, lookInside } from "./look-inside.ts";
import type { BootContext, Phase, PhaseResult } from "./phase.ts";
import { degraded, done } from "./result.ts";
import { first_look_ms, settle_limit_ms, settleUsb } from "./usb.ts";

export const fw_cfg_where = 'QEMU fw_cfg "opt/aios/aios.yaml"';
const fw_cfg_path = "/sys/firmware/qemu_fw_cfg/by_name/opt/aios/aios.yaml/raw";
const container_path = `${run_dir}/config/aios.yaml`;
const file_name = "aios.yaml";
export const config_label = "AIOS-CONFIG";
const config_file_systems = ["vfat", "ext4", "erofs"];
/** Nobody plugs in more; the ESP counts as one. */
const sticks_max = 4;
/** A file of another size than a config's is not read at all. */
const read_bytes_max = 1024 * 1024;

export interface FoundConfig {
  /** For people: `QEMU fw_cfg "opt/aios/aios.yaml"`. */
  readonly where: string;
  readonly bytes: Uint8Array;
}

export const machineConfig: Phase = {
  name: "machine config",
  what: "aios.yaml by QEMU fw_cfg, from a file system labelled AIOS-CONFIG, or from the ESP",
  modes: "both",
  // no less than its parts: a config that is found after its phase was given up would hold for half of the boot
  limit_ms: first_look_ms + settle_limit_ms + probe_limit_ms + sticks_max * (look_limit_ms + 5000),
  run: async (boot) => {
    const problems: string[] = [];
    return await use(boot, await findConfig(boot, problems), problems);
  },
};

/** @param problems of what was looked at before it: a stick that cannot be read, say, which somebody plugged in for this */
export async function use(boot: BootContext, found: FoundConfig | null, problems: readonly string[]): Promise<PhaseResult> {
  const what = "machine config";
  if (found === null) {
    if (problems.length === 0) return done("no aios.yaml anywhere: the defaults hold");
    return degraded(what, problems.join("; "), "put aios.yaml where it can be read");
  }
  boot.state.config_source.found = found;
  const { parseConfig } = await import("./config.ts"); // the schema is heavy: only paid for when there is a config
  const parsed = parseConfig(found.bytes);
  if (parsed.config === null) {
    boot.state.config = default_config;
    const wrong = [...parsed.problems, ...problems].join("; ");
    return degraded(what, `${found.where} is not used, the defaults hold: ${wrong}`, "correct aios.yaml and reboot");
  }
  boot.state.config = parsed.config;
  if (problems.length === 0) return done(`from ${found.where}`);
  return degraded(
    what,
    `${found.where} holds, for what comes before it could not be read: ${problems.join("; ")}`,
    "put aios.yaml where it can be read, or pull the stick out, and reboot",
  );
}

async function findConfig(boot: BootContext, problems: string[]): Promise<FoundConfig | null> {
  if (boot.mode === "container") return fromFile(container_path, `"${container_path}"`, problems);
  const handed = fromFile(fw_cfg_path, fw_cfg_where, problems);
  if (handed !== null) return handed;
  await settleUsb(boot);
  const devices = await probeBlockDevices(boot);
  const silent = silentOnes(devices);
  if (silent !== null) problems.push(`${silent}: a config on it was not found`);
  for (const { name } of devices) boot.state.config_source.seen.add(name);
  const sticks = devices.filter(({ label }) => label === config_label);
  for (const device of sticks.slice(0, sticks_max - 1)) {
    const before = problems.length;
    const config = await fromStick(boot, device, problems);
    if (config !== null) return config;
    if (problems.length === before) problems.push(`"${device.path}" is labelled ${config_label}, and there is no ${file_name} on it`);
  }
  for (const esp of systemPartitions(devices, rootDisk())) {
    const config = await fromDevice(boot, esp, ["vfat"], problems);
    if (config !== null) return config;
  }
  return null;
}

/** @returns null when there is none on it; `problems` says when it cannot be read */
export function fromStick(boot: BootContext, device: BlockDevice, problems: string[]): Promise<FoundConfig | null> {
  return fromDevice(boot, device, config_file_systems, problems);
}

function fromFile(path: string, where: string, problems: string[]): FoundConfig | null {
  try {
    if (statSync(path).size > read_bytes_max) problems.push(`${where} is larger than ${read_bytes_max} bytes`);
    else return { where, bytes: readFileSync(path) };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
      problems.push(`reading ${where} failed: ${reasonOf(error)}`);
  }
  return null;
}

async function fromDevice(
  boot: BootContext,
  device: BlockDevice,
  types: readonly string[],
  problems: string[],
): Promise<FoundConfig | null> {
  try {
    const bytes = await lookInside(boot, device, { types, path: file_name, bytes_max: read_bytes_max });
    return bytes === null ? null : { where: `"${file_name}" on "${device.path}"`, bytes };
  } catch (error) {
    problems.push(reasonOf(error));
    return null;
  }
}
