/**
 * The data partition: found by its type on any disk, made at the first boot, checked, grown to its disk and mounted.
 *
 * What must not happen is that something of value is written over. So a partition is formatted only when its first bytes
 * are all zero or this very boot has made it, and blkid knows nothing in it. A file system that fsck cannot mend is left
 * alone. In every such case the system runs on a tmpfs, says that nothing will be kept, and says what to do.
 */

import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { data_dir } from "../../contracts/paths.ts";
import { mountPoints } from "./api-file-systems.ts";
import { type BlockDevice, probe_limit_ms, probeBlockDevices, rootDisk, silentOnes } from "./block.ts";
import { check, check_limit_ms, formatIfBlank, grow_limit_ms, growFileSystem } from "./data-file-system.ts";
import { chooseData, growPartition, makePartition } from "./data-partition.ts";
import { mib, type Trouble, trouble } from "./data-trouble.ts";
import { readText, reasonOf } from "./files.ts";
import type { BootContext, Phase, PhaseResult } from "./phase.ts";
import { degraded, done } from "./result.ts";

const tmpfs_data = "mode=0755,size=25%,nr_inodes=200k";

interface DataFolder {
  readonly name: string;
  readonly uid: number;
  readonly mode: number;
}

/** Owners as in docs/LAYOUT.md. */
export const data_folders: readonly DataFolder[] = [
  { name: "memory", uid: 801, mode: 0o700 },
  { name: "broker", uid: 0, mode: 0o700 },
  { name: "log", uid: 0, mode: 0o755 },
  { name: "srv", uid: 0, mode: 0o755 },
  { name: "work", uid: 0, mode: 0o755 },
  { name: "dhcpcd", uid: 0, mode: 0o755 },
  { name: "chrony", uid: 811, mode: 0o750 },
];

export const dataPartition: Phase = {
  name: "data partition",
  what: "Where everything lives that changes and is kept",
  modes: "both",
  // no less than its parts: -p, then a full repair, another check before growing, the partition table, formatting
  limit_ms: 3 * check_limit_ms + grow_limit_ms + probe_limit_ms + 4 * 60_000,
  run: async (boot) => {
    const result = await mountData(boot);
    try {
      makeFolders(data_dir);
    } catch (error) {
      return degraded("data partition", `making folders on "${data_dir}" failed: ${reasonOf(error)}`, "look at the disk, or replace it");
    }
    return result;
  },
};

async function mountData(boot: BootContext): Promise<PhaseResult> {
  const handed_over = mountPoints(readText("/proc/self/mountinfo") ?? "").has(data_dir);
  if (handed_over) {
    boot.state.data = { persistent: true, mount: data_dir, device: null, detail: "mounted by who started this system", mended: false };
    return done(boot.state.data.detail);
  }
  if (boot.mode === "container")
    return onTmpfs(boot, { trouble: "the container was started without a data folder", todo: "start it with one" });
  const devices = await probeBlockDevices(boot);
  const silent = silentOnes(devices);
  if (silent !== null) {
    const what = "disks that do not answer";
    boot.degrade(what, { what, detail: silent, todo: "look at the kernel log; replace the disk or pull it out, and reboot" });
  }
  const prepared = await prepareData(boot, devices, rootDisk());
  if ("trouble" in prepared) return onTmpfs(boot, prepared);
  return mountPrepared(boot, prepared, data_dir);
}

interface PreparedData {
  readonly device: BlockDevice;
  /** What was done to it: `made`, `formatted`, `repaired`. */
  readonly steps: readonly string[];
  /** The file system was damaged and mended: people should know. */
  readonly mended: boolean;
}

/** Finds, makes, formats, grows and checks the data partition, up to where it can be mounted. Never throws. */
export async function prepareData(
  boot: BootContext,
  devices: readonly BlockDevice[],
  root_disk: string | null,
): Promise<PreparedData | Trouble> {
  try {
    const steps: string[] = [];
    let fresh = false;
    const silent = silentOnes(devices.filter(({ disk }) => disk === root_disk));
    if (silent !== null)
      return trouble(`${silent}, on the disk of the system itself`, "look at the kernel log and at the disk, then reboot");
    let device = chooseData(devices, root_disk);
    if (device === null) {
      const made = await makePartition(boot, devices, root_disk);
      if ("trouble" in made) return made;
      device = made;
      fresh = true;
      steps.push(`made "${device.path}"`);
    } else {
      const grown = await growPartition(boot, device, devices);
      if (grown !== null) {
        device = grown;
        steps.push("grown to its disk");
      }
    }
    if (device.read_only) return trouble(`"${device.path}" is write-protected`, "take the protection away, or use another disk");
    const formatted = await formatIfBlank(boot, device, fresh);
    if (formatted !== null && "trouble" in formatted) return formatted;
    if (formatted !== null) {
      steps.push("formatted");
      return { device: formatted, steps, mended: false };
    }
    const checked = await check(boot, device);
    if ("trouble" in checked) return checked;
    return { device, steps: checked.mended ? [...steps, "repaired"] : steps, mended: checked.mended };
  } catch (error) {
    return trouble(`preparing the data partition failed: ${reasonOf(error)}`, "look at the kernel log and at the disk");
  }
}

/** Grows the file system to its partition where that is worth it, and mounts it. */
export async function mountPrepared(boot: BootContext, { device, steps, mended }: PreparedData, at: string): Promise<PhaseResult> {
  const grown = await growFileSystem(boot, device);
  try {
    boot.sys.mount.mount({
      source: device.path,
      target: at,
      type: "ext4",
      flags: ["nosuid", "nodev", "noatime"],
      data: "errors=remount-ro",
    });
  } catch (error) {
    return onTmpfs(boot, trouble(reasonOf(error), "look at the kernel log and at the disk"), at);
  }
  const detail = [`"${device.path}", ${mib(device.size_bytes)} MiB`, ...steps, ...grown].join(", ");
  boot.state.data = { persistent: true, mount: at, device: device.path, detail, mended };
  if (!mended) return done(detail);
  return degraded(
    "data partition",
    `${detail}: its file system was damaged and has been repaired`,
    'look into "lost+found" for what was cut off; replace the disk if it happens again',
  );
}

/** The system runs, but forgets. */
export function onTmpfs(boot: BootContext, why: Trouble, at: string = data_dir): PhaseResult {
  const detail = `nothing will be kept over a reboot: ${why.trouble}`;
  boot.state.data = { persistent: false, mount: at, device: null, detail, mended: false };
  try {
    boot.sys.mount.mount({ source: "aios-data", target: at, type: "tmpfs", flags: ["nosuid", "nodev", "noatime"], data: tmpfs_data });
  } catch (error) {
    return degraded("data partition", `${detail}; and no tmpfs either: ${reasonOf(error)}`, why.todo);
  }
  return degraded("data partition", detail, why.todo);
}

/** Those that are there keep what is in them; their owner and mode are set. @throws */
export function makeFolders(root: string): void {
  for (const { name, uid, mode } of data_folders) {
    const path = `${root}/${name}`;
    mkdirSync(path, { recursive: true });
    chownSync(path, uid, uid);
    chmodSync(path, mode);
  }
}
