import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { ImageStore, type ImageStoreOptions } from "./store.ts";

const sys = linuxSystem();
const root = mkdtempSync(join(tmpdir(), "images-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const boot = "0badcafe";
const call = (number: number, of_boot = boot): string => `${of_boot}-call-${number}`;
const day_ms = 24 * 3600 * 1000;

const nowhere: ImageStoreOptions["cutoff"] = { get: () => undefined, put: () => {} };

interface World {
  readonly folder: string;
  readonly expired: string[];
  readonly problems: string[];
  open(options?: Partial<ImageStoreOptions>): ImageStore;
}

function world(): World {
  const folder = join(mkdtempSync(join(root, "w-")), "images");
  const expired: string[] = [];
  const problems: string[] = [];
  return {
    ...{ folder, expired, problems },
    open: (options = {}) =>
      new ImageStore({
        ...{ folder, sys, boot },
        clock: { now_ms: () => Date.now(), boot_ms: () => 0 },
        cutoff: nowhere,
        onExpiry: async (which, why) => void expired.push(`${which} ${why}`),
        onProblem: (what) => void problems.push(what),
        ...options,
      }),
  };
}

function withFd<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, "r");
  return use(fd).finally(() => closeSync(fd));
}

function fileOf(content: string | Uint8Array): string {
  const path = join(mkdtempSync(join(root, "f-")), "file");
  writeFileSync(path, content);
  return path;
}

test("a copy has the content of its moment, its hash and a number; it is read back and stays when the file is changed", async () => {
  const store = world().open();
  const images = store.of(call(1));
  const path = fileOf("before");
  const kept = await withFd(path, (fd) => images.keepFile(fd, "copy"));
  expect(kept).toEqual({ name: "1", by: "copy", size_bytes: 6, sha256: createHash("sha256").update("before").digest("hex") });
  writeFileSync(path, "after, and longer");
  expect(Buffer.from(images.read(kept)).toString()).toBe("before");
  const bytes = await images.keepBytes(Buffer.from([0, 255, 10]));
  expect([bytes.name, bytes.size_bytes]).toEqual(["2", 3]);
  expect(statSync(images.pathOf(bytes)).mode & 0o777).toBe(0o600);
  expect(store.of(call(1)).read(bytes)).toEqual(Buffer.from([0, 255, 10]));
  await store.close();
});

test("a link is the very inode while it has one name; with two, or from another mount, it is copied", async () => {
  const images = world().open().of(call(1));
  const path = fileOf("content");
  const kept = await withFd(path, (fd) => images.keepFile(fd, "link-or-copy"));
  expect(kept).toEqual({ name: "1", by: "link", size_bytes: 7, sha256: null });
  expect(statSync(images.pathOf(kept)).ino).toBe(statSync(path).ino);
  const twice = fileOf("twice");
  linkSync(twice, `${twice}-2`);
  expect((await withFd(twice, (fd) => images.keepFile(fd, "link-or-copy"))).by).toBe("copy");
  const shm = `/dev/shm/aios-images-${process.pid}`;
  writeFileSync(shm, "elsewhere");
  const copied = await withFd(shm, (fd) => images.keepFile(fd, "link-or-copy"));
  rmSync(shm);
  expect([copied.by, Buffer.from(images.read(copied)).toString()]).toEqual(["copy", "elsewhere"]);
});

test("a file without a name, a descriptor that only stands for a path, an empty file, a sparse one of 300 MiB", async () => {
  const images = world().open().of(call(1));
  const gone = fileOf("no name");
  const fd = openSync(gone, "r");
  rmSync(gone);
  expect((await images.keepFile(fd, "link-or-copy")).size_bytes).toBe(7);
  closeSync(fd);
  const path_fd = sys.file.open("cwd", fileOf("by path"), ["path"]);
  expect(Buffer.from(images.read(await images.keepFile(path_fd, "copy"))).toString()).toBe("by path");
  sys.descriptor.close(path_fd);
  expect((await withFd(fileOf(""), (empty) => images.keepFile(empty, "copy"))).size_bytes).toBe(0);
  const sparse = fileOf("start");
  const write = openSync(sparse, "r+");
  writeSync(write, "end", 300 * 1024 ** 2 - 3);
  closeSync(write);
  const kept = await withFd(sparse, (one) => images.keepFile(one, "copy"));
  expect(kept.size_bytes).toBe(300 * 1024 ** 2);
  expect(statSync(images.pathOf(kept)).blocks * 512).toBeLessThan(1024 * 1024);
}, 60_000);

test("what is no file is refused", async () => {
  const images = world().open().of(call(1));
  await expect(withFd("/dev/null", (fd) => images.keepFile(fd, "copy"))).rejects.toThrow("it is a character-device");
  await expect(withFd(root, (fd) => images.keepFile(fd, "copy"))).rejects.toThrow("it is a directory");
});

test("damage and loss of what was kept are noticed", async () => {
  const store = world().open();
  const images = store.of(call(1));
  const kept = await images.keepBytes(Buffer.from("content"));
  writeFileSync(images.pathOf(kept), "Content");
  expect(() => images.read(kept)).toThrow("is damaged");
  rmSync(images.pathOf(kept));
  expect(() => images.read(kept)).toThrow("ENOENT");
  await store.discard(call(1));
  expect(() => images.pathOf(kept)).toThrow("it was given up");
});

test("what does not fit is refused before the call runs, in words, and leaves nothing behind", async () => {
  const { open, folder } = world();
  const store = open({ limits: { bytes_max: 100_000 } });
  const images = store.of(call(1));
  await images.keepBytes(Buffer.alloc(60_000));
  await expect(images.keepBytes(Buffer.alloc(60_000))).rejects.toThrow("it needs 60000 bytes, but before-images may take 100000 bytes");
  expect(store.used_bytes).toBe(60_000);
  expect(readdirSync(join(folder, call(1)))).toEqual(["1"]);
  await expect(withFd(fileOf(Buffer.alloc(200_000, 1)), (fd) => images.keepFile(fd, "link-or-copy"))).rejects.toThrow(
    "the call was not made",
  );
  await store.close();
});

test("the oldest images of calls that are over make room, the audit hears of it first; those of open calls never go", async () => {
  const { open, folder, expired } = world();
  const store = open({ limits: { bytes_max: 100_000 } });
  for (const number of [1, 2, 3]) {
    await store.of(call(number)).keepBytes(Buffer.alloc(30_000, number));
    if (number !== 1) await store.settle(call(number));
    await Bun.sleep(2);
  }
  await store.of(call(4)).keepBytes(Buffer.alloc(30_000));
  expect(expired).toEqual([`${call(2)} its room was needed`]);
  expect(readdirSync(folder).sort()).toEqual([call(1), call(3), call(4)]);
  await expect(store.of(call(5)).keepBytes(Buffer.alloc(90_000))).rejects.toThrow("it needs 90000 bytes");
  expect(readdirSync(folder)).toContain(call(1));
  await store.close();
});

test("an expiry that cannot be written keeps the image", async () => {
  const { open, folder, problems } = world();
  const store = open({ limits: { bytes_max: 50_000 }, onExpiry: () => Promise.reject(new Error("the audit is full")) });
  await store.of(call(1)).keepBytes(Buffer.alloc(30_000));
  await store.settle(call(1));
  await expect(store.of(call(2)).keepBytes(Buffer.alloc(30_000))).rejects.toThrow("the call was not made");
  expect(readdirSync(folder)).toEqual([call(1)]);
  expect(problems).toEqual(["the audit is full"]);
  await store.close();
});

test("images of earlier boots go after 30 days, those of this boot stay whatever the clock says", async () => {
  const { open, folder, expired } = world();
  const store = open();
  for (const which of [call(1), call(1, "11111111"), call(2, "11111111")]) {
    await store.of(which).keepBytes(Buffer.from("x"));
    await store.settle(which);
  }
  const old_s = (Date.now() - 31 * day_ms) / 1000;
  for (const which of [call(1), call(1, "11111111")]) utimesSync(join(folder, which), old_s, old_s);
  await store.close();
  const again = open();
  await again.start(() => true, []);
  await again.prune();
  expect(expired).toEqual([`${call(1, "11111111")} too old`]);
  expect(readdirSync(folder).sort()).toEqual([call(1), call(2, "11111111")]);
  await again.close();
});

test("a clock that is a year ahead for a while gives nothing up, also when it is so at a start", async () => {
  const { open, expired } = world();
  let [ahead_ms, kept] = [0, undefined as number | undefined];
  const put = (ms: number): void => {
    kept = ms;
  };
  const clock = { now_ms: () => Date.now() + ahead_ms, boot_ms: () => performance.now() };
  const options = { clock, cutoff: { get: () => kept, put } };
  const first = open(options);
  await first.of(call(1, "11111111")).keepBytes(Buffer.from("x"));
  await first.settle(call(1, "11111111"));
  ahead_ms = 365 * day_ms;
  await first.prune();
  await first.close();
  const again = open(options);
  await again.start(() => true, []);
  await again.prune();
  expect(expired).toEqual([]);
  await again.close();
});

test("at the start orphans go, images of unfinished calls stay, sizes are known again, foreign files are left alone", async () => {
  const { open, folder, expired } = world();
  const store = open();
  for (const number of [1, 2, 3]) await store.of(call(number)).keepBytes(Buffer.alloc(50_000, number));
  await store.close();
  writeFileSync(join(folder, "notes.txt"), "");
  const again = open({ limits: { bytes_max: 1 } });
  await again.start((which) => which === call(1), [call(2)]);
  await again.prune();
  expect(readdirSync(folder).sort()).toEqual([call(1), call(2), "notes.txt"]);
  expect(again.used_bytes).toBeGreaterThanOrEqual(100_000);
  expect(expired).toEqual([]);
  expect(
    (
      await again
        .of(call(2))
        .keepBytes(Buffer.alloc(0))
        .catch((error: Error) => error.message)
    ).toString(),
  ).toContain("the call was not made");
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([call(2)]));
  await again.close();
});

test("numbers go on after a restart", async () => {
  const { open } = world();
  const store = open();
  await store.of(call(1)).keepBytes(Buffer.from("one"));
  const again = open();
  expect((await again.of(call(1)).keepBytes(Buffer.from("two"))).name).toBe("2");
});

test("discarded images go at once, without an expiry; an ended call that kept nothing costs nothing", async () => {
  const { open, folder, expired } = world();
  const store = open();
  await store.of(call(1)).keepBytes(Buffer.from("x"));
  await store.discard(call(1));
  store.of(call(2));
  await store.settle(call(2));
  await store.discard(call(3));
  expect([readdirSync(folder), expired, store.used_bytes]).toEqual([[], [], 0]);
});

test("the trash is below the store on the same mount, at the mount's root on another, and emptied with the call", async () => {
  const { open, folder } = world();
  const store = open();
  const tree = join(root, "tree");
  mkdirSync(join(tree, "deep"), { recursive: true });
  writeFileSync(join(tree, "deep", "file"), Buffer.alloc(100_000));
  symlinkSync("/etc", join(tree, "etc"));
  const trash = store.of(call(1)).folderFor(tree);
  expect(trash).toBe(join(folder, call(1), "trash"));
  expect([statSync(trash).mode & 0o777, store.of(call(1)).folderFor(join(root, "not-there"))]).toEqual([0o700, trash]);
  renameSync(tree, join(trash, "1"));
  await store.settle(call(1));
  expect(store.used_bytes).toBeGreaterThanOrEqual(100_000);
  const other = store.of(call(2)).folderFor("/dev/shm");
  expect(other).toBe(`/dev/shm/.aios-trash/${call(2)}`);
  expect(statSync(other).mode & 0o777).toBe(0o700);
  writeFileSync(join(other, "1"), Buffer.alloc(50_000));
  await store.settle(call(2));
  expect(store.used_bytes).toBeGreaterThanOrEqual(150_000);
  const again = open();
  await again.start(() => false, []);
  expect([existsSync(other), readdirSync(folder), existsSync("/etc/passwd")]).toEqual([false, [], true]);
  rmSync("/dev/shm/.aios-trash", { recursive: true, force: true });
});

test("in namespaces: a trash that somebody could replace is refused; a mount in a removed tree is never emptied", async () => {
  const value = await valueInNamespaces(
    `
    const folder = mkdtempSync("/tmp/images-ns-");
    const problems = [];
    const store = new ImageStore({ folder: folder + "/images", sys, boot: "0badcafe", clock: { now_ms: Date.now, boot_ms: () => 0 }, cutoff: { get: () => undefined, put: () => {} }, onExpiry: async () => {}, onProblem: (what) => problems.push(what) });
    const said = (work) => { try { work(); return "ok"; } catch (error) { return error.message; } };
    mkdirSync(folder + "/open");
    sys.mount.mount({ source: "t", target: folder + "/open", type: "tmpfs", data: "mode=0777,uid=1000" });
    const open = said(() => store.of("0badcafe-call-1").folderFor(folder + "/open"));
    sys.mount.mount({ source: "t", target: folder + "/open", type: "tmpfs", data: "mode=0755" });
    symlinkSync("/etc", folder + "/open/.aios-trash");
    const link = said(() => store.of("0badcafe-call-1").folderFor(folder + "/open"));
    const trash = store.of("0badcafe-call-2").folderFor(folder);
    mkdirSync(trash + "/1/mnt", { recursive: true });
    writeFileSync(trash + "/1/file", "x");
    sys.mount.mount({ source: "t", target: trash + "/1/mnt", type: "tmpfs" });
    writeFileSync(trash + "/1/mnt/precious", "x");
    await store.settle("0badcafe-call-2");
    await store.discard("0badcafe-call-2");
    const precious = existsSync(trash + "/1/mnt/precious");
    sys.mount.unmount(trash + "/1/mnt");
    for (let n = 0; n < 2; n += 1) sys.mount.unmount(folder + "/open");
    rmSync(folder, { recursive: true });
    console.log(JSON.stringify({ open, link, precious, problems }));
  `,
    {
      imports: `import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { ImageStore } from ${JSON.stringify(join(import.meta.dir, "store.ts"))};`,
    },
  );
  expect(value).toEqual({
    open: expect.stringContaining("can be written by others than root"),
    link: expect.stringContaining("something else has that name"),
    precious: true,
    problems: [expect.stringContaining("EXDEV")],
  });
}, 60_000);

test("a store that cannot be made says so and refuses to keep", async () => {
  const blocked = world().open({ folder: join(fileOf(""), "images") });
  expect(blocked.degradation).toContain("nothing can be kept for undo");
  await expect(blocked.of(call(1)).keepBytes(Buffer.from("x"))).rejects.toThrow("check the data partition");
});
