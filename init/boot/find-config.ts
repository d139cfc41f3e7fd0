/** Where the machine config comes from, and what happens when it is bad: the machine runs with the defaults and says why. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { run_dir } from "../../contracts/paths.ts";
import { default_config } from "../defaults.ts";
import { type BlockDevice, probe_limit_ms, probeBlockDevices, rootDisk, systemPartitions } from "./block.ts";
import { reasonOf } from "./files.ts";
import { withMounted } from "./look-inside.ts";
import type { BootContext, Phase, PhaseResult } from "./phase.ts";
import { degraded, done } from "./result.ts";
import { first_look_ms, settle_limit_ms, settleUsb } from "./usb.ts";

export const fw_cfg_where = 'QEMU fw_cfg "opt/aios/aios.yaml"';
const fw_cfg_path = "/sys/firmware/qemu_fw_cfg/by_name/opt/aios/aios.yaml/raw";
const container_path = `${run_dir}/config/aios.yaml`;
const file_name = "aios.yaml";
export const config_label = "AIOS-CONFIG";
const config_mount = "/mnt";
const esp_mount = "/efi";
const config_file_systems = ["vfat", "ext4", "erofs"];
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
  limit_ms: first_look_ms + settle_limit_ms + probe_limit_ms + 5000,
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
  let devices: BlockDevice[] = [];
  try {
    await settleUsb(boot);
    devices = await probeBlockDevices(boot);
  } catch (error) {
    problems.push(reasonOf(error));
  }
  for (const { name } of devices) boot.state.config_source.seen.add(name);
  for (const device of devices.filter(({ label }) => label === config_label)) {
    const before = problems.length;
    const config = fromStick(boot, device, problems);
    if (config !== null) return config;
    if (problems.length === before) problems.push(`"${device.path}" is labelled ${config_label}, and there is no ${file_name} on it`);
  }
  for (const esp of systemPartitions(devices, rootDisk())) {
    const config = fromDevice(boot, esp, esp_mount, ["vfat"], problems);
    if (config !== null) return config;
  }
  return null;
}

/** @returns null when there is none on it; `problems` says when it cannot be read */
export function fromStick(boot: BootContext, device: BlockDevice, problems: string[]): FoundConfig | null {
  return fromDevice(boot, device, config_mount, config_file_systems, problems);
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

function fromDevice(boot: BootContext, device: BlockDevice, at: string, types: readonly string[], problems: string[]): FoundConfig | null {
  try {
    return withMounted(boot.sys, device, at, types, () => fromFile(join(at, file_name), `"${file_name}" on "${device.path}"`, problems));
  } catch (error) {
    problems.push(reasonOf(error));
    return null;
  }
}
