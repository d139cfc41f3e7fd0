/** The data partition on real disks: image files behind loop devices, partitioned and formatted by the real programs. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { type BlockDevice, parseBlkid, probeBlockDevices, silentOnes } from "./block.ts";
import { data_folders, makeFolders, mountPrepared, onTmpfs, prepareData } from "./data.ts";
import { check, extentOfExt4, formatIfBlank } from "./data-file-system.ts";
import { chooseData, data_type } from "./data-partition.ts";
import { testBoot } from "./testing.ts";

const mib = 1024 * 1024;
const sys = linuxSystem();
let folder = "";
let image = "";
let disk = "";

function run(...argv: string[]): string {
  const done = Bun.spawnSync(argv, { stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
  return done.stdout.toString().trim();
}

/** A disk with the slots of aiOS, and a data partition of `data_mib` when given. */
function makeDisk(size_mib: number, data_mib: number | null): void {
  writeFileSync(image, "");
  truncateSync(image, size_mib * mib);
  const root = "type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
  const lines = ["label: gpt", `${root}, size=8M, name=root-a`, `${root}, size=8M, name=root-b`];
  if (data_mib !== null) lines.push(`type=${data_type}, size=${data_mib}M, name=data`);
  const done = Bun.spawnSync(["sfdisk", "--quiet", image], { stdin: Buffer.from(`${lines.join("\n")}\n`), stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  disk = run("losetup", "--find", "--show", image);
  run("partx", "--update", disk);
}

/** A partition for data, as far as its type says, on a disk that the test does not have. */
const another: BlockDevice = {
  ...{ path: "/dev/sdb2", name: "sdb2", disk: "sdb", part_number: 2, size_bytes: 1e9, read_only: false, part_type: data_type },
  ...{ part_name: null, table: null, type: null, label: null, answers: true },
};

/** blkid, but for one disk, about which it never comes to its end. */
function blkidBut(path: string): string {
  const program = join(folder, "blkid");
  writeFileSync(program, `#!/bin/sh\nfor each; do [ "$each" != ${path} ] || kill -KILL $$; done\nexec blkid "$@"\n`, { mode: 0o755 });
  return program;
}

const name = (): string => basename(disk);
const data = (): string => `${disk}p3`;
const devices = () => probeBlockDevices(testBoot(sys), [name(), `${name()}p1`, `${name()}p2`, `${name()}p3`]);

async function prepare() {
  const boot = testBoot(sys);
  return { boot, result: await prepareData(boot, await devices(), name()) };
}

/** Loop devices are shared with everything else on the machine: one test at a time, and all is undone. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aios-data-"));
  image = join(folder, "disk");
  mkdirSync(join(folder, "mnt"));
});
afterEach(() => {
  Bun.spawnSync(["umount", "-l", join(folder, "mnt")], { stderr: "ignore" });
  if (disk !== "") {
    Bun.spawnSync(["partx", "--delete", disk], { stderr: "ignore" });
    run("losetup", "--detach", disk);
  }
  disk = "";
  rmSync(folder, { recursive: true, force: true });
});

test("blank disks keep nothing from being found, whichever come first", async () => {
  const blank = [0, 1, 2].map((at) => {
    const path = join(folder, `blank-${at}`);
    writeFileSync(path, "");
    truncateSync(path, 8 * mib);
    return path;
  });
  const attached = blank.slice(0, 2).map((path) => run("losetup", "--find", "--show", path));
  try {
    makeDisk(256, 32);
    attached.push(run("losetup", "--find", "--show", blank[2] ?? ""));
    const found = await probeBlockDevices(testBoot(sys), [...attached.map((path) => basename(path)), name(), `${name()}p3`]);
    expect(found.map(({ path }) => path).sort()).toEqual([...attached, disk, data()].sort());
    expect(found.find(({ path }) => path === disk)?.table).toBe("gpt");
    expect(found.find(({ path }) => path === data())?.part_type).toBe(data_type);
    for (const path of attached) expect(found.find((one) => one.path === path)).toMatchObject({ table: null, type: null });
  } finally {
    for (const path of attached) run("losetup", "--detach", path);
  }
});

describe("first boot", () => {
  test("a disk without a data partition gets one, formatted, over all of the free room", async () => {
    makeDisk(256, null);
    // the root is in use, as it is on a real machine: the whole table cannot be read again
    run("mke2fs", "-q", `${disk}p1`);
    run("mount", `${disk}p1`, join(folder, "mnt"));
    const { result } = await prepare();
    run("umount", join(folder, "mnt"));
    expect(result).toMatchObject({ steps: [`made "${data()}"`, "formatted"], mended: false });
    if ("trouble" in result) throw new Error(result.trouble);
    expect(result.device.size_bytes).toBeGreaterThan(230 * mib);
    expect(run("blkid", "-p", "-o", "value", "-s", "TYPE", data())).toBe("ext4");
    expect(run("blkid", "-p", "-o", "value", "-s", "PART_ENTRY_TYPE", data())).toBe(data_type);
    expect(run("blkid", "-p", "-o", "value", "-s", "PART_ENTRY_NAME", data())).toBe("data");
  });

  test("a format that is cut off is begun again at the next boot: what it left is not somebody's data", async () => {
    makeDisk(128, 100);
    const cut_off = join(folder, "mke2fs");
    // as the real one leaves it: tables are written, the superblock is not
    writeFileSync(
      cut_off,
      '#!/bin/sh\nfor last; do :; done\nprintf tables | dd of="$last" bs=1k seek=8 conv=notrunc status=none\nkill -KILL $$\n',
      { mode: 0o755 },
    );
    const [device] = (await devices()).filter(({ path }) => path === data());
    if (device === undefined) throw new Error("there is no data partition");
    expect(await formatIfBlank(testBoot(sys), device, false, cut_off)).toHaveProperty("trouble", expect.stringContaining("failed"));
    expect((await prepare()).result).toMatchObject({ steps: ["formatted"] });
    expect(run("blkid", "-p", "-o", "value", "-s", "PART_ENTRY_NAME", data())).toBe("data");
    expect((await prepare()).result).toMatchObject({ steps: [] });
  });

  test("a blank data partition is formatted, and keeps what is written to it at the next boot", async () => {
    makeDisk(128, 100);
    const first = await prepare();
    expect(first.result).toMatchObject({ steps: ["formatted"] });
    if ("trouble" in first.result) throw new Error(first.result.trouble);
    const at = join(folder, "mnt");
    expect(await mountPrepared(first.boot, first.result, at)).toMatchObject({ outcome: "done" });
    expect(first.boot.state.data).toMatchObject({ persistent: true, mount: at, device: data() });
    expect(readFileSync("/proc/mounts", "utf8")).toMatch(
      new RegExp(`^${data()} ${at} ext4 rw,nosuid,nodev,noatime,errors=remount-ro`, "m"),
    );
    writeFileSync(join(at, "kept"), "yes");
    sys.mount.unmount(at);
    const second = await prepare();
    expect(second.result).toMatchObject({ steps: [], mended: false });
    if ("trouble" in second.result) throw new Error(second.result.trouble);
    await mountPrepared(second.boot, second.result, at);
    expect(readFileSync(join(at, "kept"), "utf8")).toBe("yes");
  });

  test("of two, the one on the root's own disk", async () => {
    makeDisk(128, 100);
    const known = await devices();
    const other = known.map((device) => ({ ...device, path: "/dev/elsewhere", disk: "elsewhere" }));
    const result = await prepareData(testBoot(sys), [...other, ...known], name());
    expect(result).toMatchObject({ device: { path: data() }, steps: ["formatted"] });
  });

  test("the phase leaves the folders of the services with their owners", async () => {
    const value = await valueInNamespaces(
      `
      sys.mount.mount({ source: "lib", target: "/var/lib", type: "tmpfs" });
      mkdirSync("/var/lib/aios");
      const { outcome } = await dataPartition.run(testBoot(sys, "container"));
      const found = data_folders.filter(({ name }) => existsSync("/var/lib/aios/" + name));
      console.log(JSON.stringify({ outcome, found: found.map(({ name }) => name + " " + statSync("/var/lib/aios/" + name).uid) }));
      `,
      {
        imports: `
import { existsSync, mkdirSync, statSync } from "node:fs";
import { data_folders, dataPartition } from ${JSON.stringify(join(import.meta.dir, "data.ts"))};
import { testBoot } from ${JSON.stringify(join(import.meta.dir, "testing.ts"))};
`,
      },
    );
    expect(value).toEqual({ outcome: "degraded", found: data_folders.map(({ name: each, uid }) => `${each} ${uid}`) });
  });

  test("a full disk says what is missing", async () => {
    makeDisk(40, null);
    expect((await prepare()).result).toMatchObject({ trouble: expect.stringContaining("MiB free"), todo: "use a larger disk" });
  });
});

describe("a disk that does not answer", () => {
  test("keeps nothing from being found on the others, and is not taken for blank", async () => {
    const path = join(folder, "silent");
    writeFileSync(path, "");
    truncateSync(path, 8 * mib);
    const silent = run("losetup", "--find", "--show", path);
    try {
      makeDisk(64, 32);
      const boot = testBoot(sys);
      const found = await probeBlockDevices(boot, [basename(silent), name(), `${name()}p3`], blkidBut(silent));
      expect(found.map(({ path: each, answers }) => [each, answers])).toEqual(
        [silent, disk, data()].sort().map((each) => [each, each !== silent]),
      );
      expect(silentOnes(found)).toBe(`"${silent}" does not answer`);
      expect(found.find(({ path: each }) => each === data())?.part_type).toBe(data_type);
      expect(await prepareData(boot, found, name())).toMatchObject({ steps: ["formatted"] });
    } finally {
      run("losetup", "--detach", silent);
    }
  });

  test("may hold the data partition: none is made anew", async () => {
    makeDisk(256, null);
    const boot = testBoot(sys);
    const before = Bun.hash(readFileSync(image));
    const silent: BlockDevice = { ...another, path: "/dev/sdb", name: "sdb", disk: "sdb", part_type: null, answers: false };
    const made = await prepareData(boot, [...(await devices()), silent], name());
    expect(made).toMatchObject({ trouble: expect.stringContaining('"/dev/sdb" does not answer: it may be there') });
    expect(Bun.hash(readFileSync(image))).toBe(before);
  });

  test("and has the root on it is not passed over for a data partition elsewhere", async () => {
    makeDisk(256, 32);
    const boot = testBoot(sys);
    const silent: BlockDevice = { ...another, path: "/dev/sda3", name: "sda3", disk: "sda", answers: false };
    const prepared = await prepareData(boot, [silent, ...(await devices())], "sda");
    expect(prepared).toMatchObject({ trouble: expect.stringContaining('"/dev/sda3" does not answer') });
  });
});

test("when blkid does not answer, nothing is taken for blank", async () => {
  makeDisk(128, null);
  const known = await devices();
  const boot = testBoot(sys);
  const before = Bun.hash(readFileSync(image));
  // what a probe that failed would look like, were it taken for an answer
  const unknown = known.map((device) => ({ ...device, table: null, type: null, part_type: null, part_name: null }));
  expect(await prepareData(boot, unknown, name())).toHaveProperty("trouble");
  expect(Bun.hash(readFileSync(image))).toBe(before);
});

describe("a larger disk", () => {
  test("partition and file system grow, and nothing is lost", async () => {
    makeDisk(128, 100);
    const at = join(folder, "mnt");
    const first = await prepare();
    if ("trouble" in first.result) throw new Error(first.result.trouble);
    await mountPrepared(first.boot, first.result, at);
    writeFileSync(join(at, "kept"), "x".repeat(100_000));
    sys.mount.unmount(at);
    truncateSync(image, 512 * mib);
    run("losetup", "--set-capacity", disk);
    const { boot, result } = await prepare();
    expect(result).toMatchObject({ steps: ["grown to its disk"] });
    if ("trouble" in result) throw new Error(result.trouble);
    expect(result.device.size_bytes).toBeGreaterThan(480 * mib);
    const mounted = await mountPrepared(boot, result, at);
    expect(mounted.detail).toContain("file system grown");
    expect(sys.mount.use(at).size_bytes).toBeGreaterThan(430 * mib);
    expect(readFileSync(join(at, "kept"), "utf8")).toHaveLength(100_000);
    expect(result.device.size_bytes - (extentOfExt4(data()) ?? 0)).toBeLessThan(4096); // whole blocks only
  });
});

describe("what is not ours is not touched", () => {
  test("another file system", async () => {
    makeDisk(128, 100);
    run("mkfs.vfat", data());
    const before = Bun.hash(readFileSync(image));
    expect((await prepare()).result).toMatchObject({ trouble: expect.stringContaining("holds vfat, not ext4") });
    expect(Bun.hash(readFileSync(image))).toBe(before);
  });

  test("bytes of an unknown kind", async () => {
    makeDisk(128, 100);
    const fd = openSync(data(), "r+");
    writeSync(fd, Buffer.from("someone's own format"), 0, 20, 8192);
    closeSync(fd);
    const before = Bun.hash(readFileSync(image));
    expect((await prepare()).result).toMatchObject({ trouble: expect.stringContaining("data of an unknown kind") });
    expect(Bun.hash(readFileSync(image))).toBe(before);
  });
});

test("on another disk than the root's a partition is taken when it is blank or labelled as ours, not for its type alone", () => {
  const one = (part: Partial<BlockDevice>): BlockDevice => ({ ...another, ...part });
  const of_another = one({ type: "ext4", label: "var" });
  const ours = one({ name: "sdc1", disk: "sdc", type: "ext4", label: "aios-data" });
  const blank = one({ name: "sdd1", disk: "sdd" });
  const chosen = (devices: BlockDevice[], root_disk: string | null) => chooseData(devices, root_disk)?.name ?? null;
  expect(chosen([of_another], "sda")).toBeNull();
  expect(chosen([of_another], null)).toBeNull();
  expect(chosen([of_another, ours, blank], "sda")).toBe("sdc1");
  expect(chosen([of_another, blank], "sda")).toBe("sdd1");
  expect(chosen([ours, of_another], "sdb")).toBe("sdb2");
});

describe("damage", () => {
  test("a damaged file system is repaired, and that is said", async () => {
    makeDisk(128, 100);
    const at = join(folder, "mnt");
    const first = await prepare();
    if ("trouble" in first.result) throw new Error(first.result.trouble);
    await mountPrepared(first.boot, first.result, at);
    mkdirSync(join(at, "lost"));
    writeFileSync(join(at, "lost/found"), "x");
    sys.mount.unmount(at);
    run("debugfs", "-w", "-R", "clri lost", data());
    run("debugfs", "-w", "-R", "set_super_value state 2", data());
    const { boot, result } = await prepare();
    expect(result).toMatchObject({ mended: true });
    expect(boot.told.logs.filter((line) => line.includes("trying a full repair"))).toEqual([expect.not.stringMatching(/\d \d+ \d+ \/dev/)]);
    if ("trouble" in result) throw new Error(result.trouble);
    expect(await mountPrepared(boot, result, at)).toMatchObject({
      outcome: "degraded",
      degradation: { detail: expect.stringContaining("has been repaired") },
    });
  });

  test("a check that somebody ends is no damage: nothing is answered with yes", async () => {
    makeDisk(128, 100);
    run("mke2fs", "-q", "-t", "ext4", data());
    const [device] = (await devices()).filter(({ path }) => path === data());
    if (device === undefined) throw new Error("there is no data partition");
    const checks: number[] = [];
    const ending = (pid: number): void => {
      checks.push(pid);
      process.kill(pid, "SIGKILL");
    };
    const checked = await check({ ...testBoot(sys), ownChild: ending }, device);
    expect(checked).toEqual({ trouble: expect.stringContaining("did not come to its end"), todo: expect.stringContaining("e2fsck") });
    expect(checks).toHaveLength(1);
  });

  test("a check that ends because it was told to is none either", async () => {
    makeDisk(128, 100);
    run("mke2fs", "-q", "-t", "ext4", data());
    const [device] = (await devices()).filter(({ path }) => path === data());
    if (device === undefined) throw new Error("there is no data partition");
    const asked = join(folder, "asked");
    const program = join(folder, "e2fsck");
    writeFileSync(program, `#!/bin/sh\necho "$@" >> ${asked}\nexit 36\n`, { mode: 0o755 });
    expect(await check(testBoot(sys), device, program)).toHaveProperty("trouble", expect.stringContaining("it was told to end"));
    expect(readFileSync(asked, "utf8").trim().split("\n")).toHaveLength(1);
  });

  test("one beyond repair is left alone, with what to do", async () => {
    makeDisk(128, 100);
    run("mke2fs", "-q", "-t", "ext4", data());
    const fd = openSync(data(), "r+");
    // every copy of the superblock but for the magic number of the first, and the tables behind them
    writeSync(fd, Buffer.alloc(90 * mib, 0x5a), 0, 90 * mib, 2048);
    writeSync(fd, Buffer.alloc(40, 0x5a), 0, 40, 1024);
    closeSync(fd);
    const { result } = await prepare();
    expect(result).toHaveProperty("trouble");
  });

  test("no data partition at all: a tmpfs, said so", () => {
    const at = join(folder, "mnt");
    const boot = testBoot(sys);
    const result = onTmpfs(boot, { trouble: "there is no disk", todo: "add one" }, at);
    expect(result).toMatchObject({
      outcome: "degraded",
      degradation: { what: "data partition", detail: "nothing will be kept over a reboot: there is no disk", todo: "add one" },
    });
    expect(boot.state.data.persistent).toBe(false);
    expect(readFileSync("/proc/mounts", "utf8")).toMatch(new RegExp(`^aios-data ${at} tmpfs rw,nosuid,nodev,noatime,`, "m"));
    makeFolders(at);
    for (const { name: each, uid, mode } of data_folders) {
      const made = statSync(join(at, each));
      expect([each, made.uid, made.mode & 0o777]).toEqual([each, uid, mode]);
    }
  });
});

test("blkid's text is read as it is meant, quoted characters and all", () => {
  const devices = parseBlkid("DEVNAME=/dev/vda1\nLABEL=my\\ disk\nTYPE=vfat\n\nDEVNAME=/dev/vda2\nnonsense\n");
  expect(devices.get("/dev/vda1")?.get("LABEL")).toBe("my disk");
  expect([...devices.keys()]).toEqual(["/dev/vda1", "/dev/vda2"]);
});
