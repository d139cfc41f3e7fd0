/** Block devices as sysfs and blkid(8) tell of them. */

import { existsSync, readlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { names, readNumber, readText } from "./files.ts";
import { runHelper } from "./helper.ts";
import type { BootContext } from "./phase.ts";

export interface BlockDevice {
  /** `/dev/vda2` */
  readonly path: string;
  /** `vda2` */
  readonly name: string;
  /** The disk that it is on (its own name for a whole disk): `vda`. */
  readonly disk: string;
  /** Its number on the disk; null for a whole disk. */
  readonly part_number: number | null;
  readonly size_bytes: number;
  readonly read_only: boolean;
  /** Type GUID of the partition, lower case. */
  readonly part_type: string | null;
  readonly part_name: string | null;
  /** Kind of the partition table on it: `gpt`. */
  readonly table: string | null;
  /** What blkid sees in it: `ext4`, `crypto_LUKS`. Null: no signature that blkid knows. */
  readonly type: string | null;
  readonly label: string | null;
  /** Whether blkid came to its end on it. Else nothing is known of it but what sysfs says, which is not the same as nothing being there. */
  readonly answers: boolean;
}

const sector_bytes = 512;
/** An emulated machine under load is a hundred times slower than a real one. */
export const probe_limit_ms = 60_000;
/** What holds no lasting data, or would be looked at twice. */
export const passing = /^(loop|ram|zram|nbd|sr|fd)\d/;

/** All disks and partitions, as blkid knows them. Loop devices only when `only` names them. Never throws. */
export async function probeBlockDevices(
  boot: Pick<BootContext, "ownChild">,
  only?: readonly string[],
  blkid = "blkid",
): Promise<BlockDevice[]> {
  const found = names("/sys/class/block").filter((name) => {
    if (only !== undefined) return only.includes(name);
    return !passing.test(name) && (readNumber(`/sys/class/block/${name}/size`) ?? 0) > 0;
  });
  // each disk on its own: one that does not answer holds up none of the others
  const facts = await Promise.all([...Map.groupBy(found, diskOf).values()].map((on_one) => askBlkid(boot, blkid, on_one)));
  const known = new Map(facts.flatMap((one) => [...one]));
  return found.map((name) => describe(name, known.get(name) ?? null));
}

/** For people. @returns null when all of them answer */
export function silentOnes(devices: readonly BlockDevice[]): string | null {
  const silent = devices.filter(({ answers }) => !answers).map(({ path }) => `"${path}"`);
  return silent.length === 0 ? null : `${silent.join(", ")} ${silent.length === 1 ? "does" : "do"} not answer`;
}

type Known = ReadonlyMap<string, string>;

/** One run is enough, but for devices of which blkid knows nothing: it stops at the first, and the rest is asked for anew. */
async function askBlkid(boot: Pick<BootContext, "ownChild">, blkid: string, asked: readonly string[]): Promise<Map<string, Known>> {
  const facts = new Map<string, Known>();
  for (let left = asked; left.length > 0; ) {
    const probe = await runHelper(boot, [blkid, "-p", "-o", "export", ...left.map((name) => `/dev/${name}`)], {
      limit_ms: probe_limit_ms,
    });
    for (const [path, known] of parseBlkid(probe.stdout.toString())) facts.set(path.slice("/dev/".length), known);
    if (probe.status === -1) break;
    const stopped_at = left.findIndex((name) => !facts.has(name));
    for (const name of left.slice(stopped_at, stopped_at + 1)) facts.set(name, new Map());
    left = stopped_at < 0 ? [] : left.slice(stopped_at + 1).filter((name) => !facts.has(name));
  }
  return facts;
}

function describe(name: string, known: Known | null): BlockDevice {
  const facts = known ?? new Map<string, string>();
  const folder = `/sys/class/block/${name}`;
  const part_number = readNumber(`${folder}/partition`);
  return {
    path: `/dev/${name}`,
    name,
    disk: diskOf(name),
    part_number,
    size_bytes: (readNumber(`${folder}/size`) ?? 0) * sector_bytes,
    read_only: readNumber(`${folder}/ro`) === 1,
    part_type: facts.get("PART_ENTRY_TYPE")?.toLowerCase() ?? null,
    part_name: facts.get("PART_ENTRY_NAME") ?? null,
    table: facts.get("PTTYPE") ?? null,
    type: facts.get("TYPE") ?? null,
    label: facts.get("LABEL") ?? null,
    answers: known !== null,
  };
}

/** The disk that a partition is on (sysfs has its folder inside the disk's); a disk's own name. */
function diskOf(name: string): string {
  if (!existsSync(`/sys/class/block/${name}/partition`)) return name;
  try {
    return basename(dirname(readlinkSync(`/sys/class/block/${name}`)));
  } catch {
    return name;
  }
}

/** The blocks of `blkid -o export`: NAME=value lines, DEVNAME first, an empty line between devices. Backslashes quote. */
export function parseBlkid(text: string): Map<string, Map<string, string>> {
  const devices = new Map<string, Map<string, string>>();
  for (const block of text.split(/\n\s*\n/)) {
    const facts = new Map<string, string>();
    for (const line of block.split("\n")) {
      const equals = line.indexOf("=");
      if (equals > 0) facts.set(line.slice(0, equals), line.slice(equals + 1).replace(/\\(.)/g, "$1"));
    }
    const device = facts.get("DEVNAME");
    if (device !== undefined) devices.set(device, facts);
  }
  return devices;
}

const esp_type = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

/** EFI system partitions: those of the root's disk; any, where the root is on no disk. */
export function systemPartitions(devices: readonly BlockDevice[], root_disk: string | null): BlockDevice[] {
  return devices.filter((device) => device.part_type === esp_type && (root_disk === null || device.disk === root_disk));
}

/**
 * The disk that carries the root: of the device that is mounted on `/`, through dm-verity when there is one.
 * @param sys_root where /sys and /proc are, for tests
 * @returns `vda`, or null when the root is on no disk (an initramfs, a network)
 */
export function rootDisk(sys_root = "/"): string | null {
  const base = sys_root === "/" ? "" : sys_root;
  const line = (readText(`${base}/proc/self/mountinfo`) ?? "").split("\n").findLast((text) => text.split(" ")[4] === "/");
  const number = line?.split(" ")[2];
  if (number === undefined) return null;
  try {
    let name = basename(readlinkSync(`${base}/sys/dev/block/${number}`));
    for (let depth = 0; depth < 8; depth++) {
      const below = names(`${base}/sys/class/block/${name}/slaves`)[0];
      if (below === undefined) break;
      name = below;
    }
    if (!existsSync(`${base}/sys/class/block/${name}/partition`)) return name;
    return basename(dirname(readlinkSync(`${base}/sys/class/block/${name}`)));
  } catch {
    return null;
  }
}
