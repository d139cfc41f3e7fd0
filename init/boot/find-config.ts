/** Where the machine config comes from, and what happens when it is bad: the machine runs with the defaults and says why. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { run_dir } from "../../contracts/paths.ts";
import { default_config } from "../defaults.ts";
import { type BlockDevice, probeBlockDevices, rootDisk } from "./block.ts";
import { reasonOf } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const fw_cfg_path = "/sys/firmware/qemu_fw_cfg/by_name/opt/aios/aios.yaml/raw";
const container_path = `${run_dir}/config/aios.yaml`;
const file_name = "aios.yaml";
const config_label = "AIOS-CONFIG";
const esp_type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const config_mount = "/mnt";
const esp_mount = "/efi";
/** Never mounted with the kernel's guess: what lies there came from outside. */
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
  limit_ms: 15_000,
  run: async (boot) => {
    const problems: string[] = [];
    const found = await findConfig(boot, problems);
    if (found === null) {
      if (problems.length === 0) return done("no aios.yaml anywhere: the defaults hold");
      return degraded("machine config", problems.join("; "), "put aios.yaml where it can be read");
    }
    const { parseConfig } = await import("./config.ts"); // the schema is heavy: only paid for when there is a config
    const parsed = parseConfig(found.bytes);
    if (parsed.config !== null) {
      boot.state.config = parsed.config;
      return done(`from ${found.where}`);
    }
    boot.state.config = default_config;
    return degraded(
      "machine config",
      `${found.where} is not used, the defaults hold: ${parsed.problems.join("; ")}`,
      "correct aios.yaml and reboot",
    );
  },
};

async function findConfig(boot: BootContext, problems: string[]): Promise<FoundConfig | null> {
  if (boot.mode === "container") return fromFile(container_path, `"${container_path}"`, problems);
  const handed = fromFile(fw_cfg_path, 'QEMU fw_cfg "opt/aios/aios.yaml"', problems);
  if (handed !== null) return handed;
  let devices: BlockDevice[] = [];
  try {
    devices = await probeBlockDevices(boot);
  } catch (error) {
    problems.push(reasonOf(error));
  }
  for (const device of devices.filter(({ label }) => label === config_label)) {
    const config = fromDevice(boot, device, config_mount, config_file_systems, problems);
    if (config !== null) return config;
  }
  const root_disk = rootDisk();
  const esps = devices.filter((device) => device.part_type === esp_type && (root_disk === null || device.disk === root_disk));
  for (const esp of esps) {
    const config = fromDevice(boot, esp, esp_mount, ["vfat"], problems);
    if (config !== null) return config;
  }
  return null;
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

/** Mounted read-only, and only while the file is read. */
function fromDevice(boot: BootContext, device: BlockDevice, at: string, types: readonly string[], problems: string[]): FoundConfig | null {
  if (device.type === null || !types.includes(device.type)) {
    problems.push(
      `"${device.path}" is labelled "${device.label ?? ""}" but holds ${device.type ?? "no file system"}; use ${types.join(", ")}`,
    );
    return null;
  }
  try {
    boot.sys.mount.mount({ source: device.path, target: at, type: device.type, flags: ["ro", "nosuid", "nodev", "noexec"] });
  } catch (error) {
    problems.push(reasonOf(error));
    return null;
  }
  try {
    return fromFile(join(at, file_name), `"${file_name}" on "${device.path}"`, problems);
  } finally {
    boot.sys.mount.unmount(at, ["detach"]);
  }
}
