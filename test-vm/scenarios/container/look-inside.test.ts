/** look-inside, by what it really does: on file systems in images, behind loop devices. */

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { lookInside } from "../../../init/boot/look-inside.ts";
import { run } from "../../../tooling/run.ts";

const program = resolve(import.meta.dir, "../../../build/bin/look-inside");
const boot = { ownChild: () => {} };
let folder = "";
let device = { path: "", type: "ext4", label: "AIOS-CONFIG" };

beforeAll(() => {
  if (!existsSync(program)) throw new Error(`looking for "${program}" failed: it has not been built; run "bun image/build.ts root" first`);
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "look-inside-"));
  const files = join(folder, "files");
  mkdirSync(join(files, "sub"), { recursive: true });
  writeFileSync(join(files, "sub/real.yaml"), "hostname: lighthouse\n");
  symlinkSync("sub/real.yaml", join(files, "linked.yaml"));
  symlinkSync("/etc/passwd", join(files, "absolute"));
  symlinkSync("../../../../etc/passwd", join(files, "upwards"));
  await run(["mkfifo", join(files, "pipe")]);
  await run(["truncate", "--size", "8M", join(folder, "image")]);
  await run(["mke2fs", "-q", "-t", "ext4", "-d", files, join(folder, "image")]);
  const path = (await run(["losetup", "--find", "--show", "--read-only", join(folder, "image")])).trim();
  device = { ...device, path };
});
afterEach(async () => {
  await run(["losetup", "--detach", device.path]);
  rmSync(folder, { recursive: true, force: true });
});

const look = (path: string, bytes_max = 1000) => lookInside(boot, device, { types: ["ext4"], path, bytes_max }, program);

describe("a file on a disk that came from outside", () => {
  test("is handed over whole, by a link on it, too; nothing stays mounted", async () => {
    expect((await look("sub/real.yaml"))?.toString()).toBe("hostname: lighthouse\n");
    expect((await look("linked.yaml"))?.toString()).toBe("hostname: lighthouse\n");
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(device.path);
  });

  test("that is not there is none", async () => {
    expect(await look("aios.yaml")).toBeNull();
  });

  test("is never one of ours, whatever links say", async () => {
    expect(await look("absolute")).toBeNull();
    expect(await look("upwards")).toBeNull();
  });

  test("is refused with the reason when it is too large, or no file", async () => {
    await expect(look("sub/real.yaml", 10)).rejects.toThrow(
      `reading "sub/real.yaml" on "${device.path}" failed: it is larger than 10 bytes`,
    );
    await expect(look("sub")).rejects.toThrow("it is no file");
    await expect(look("pipe")).rejects.toThrow("it is no file");
  });
});

test("what cannot be mounted says so; the type is what blkid said, and one that is wanted", async () => {
  const other = { ...device, type: "erofs" };
  await expect(lookInside(boot, other, { types: ["erofs"], path: "x", bytes_max: 10 }, program)).rejects.toThrow(/mounting it failed: /);
  await expect(lookInside(boot, other, { types: ["vfat"], path: "x", bytes_max: 10 }, program)).rejects.toThrow(
    "but holds erofs; use vfat",
  );
});
