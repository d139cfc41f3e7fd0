/** Files by descriptor, against the real kernel: each call does what it says, on bytes, nanoseconds and errors too. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../linux.ts";
import { codeOfFailure, valueInNamespaces } from "../testing.ts";

setDefaultTimeout(60_000); // a machine may be busy

const sys = linuxSystem();
const { file } = sys;
const folder = mkdtempSync(join(tmpdir(), "aios-sys-file-"));
const at = file.open("cwd", folder, ["path", "directory"]);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function withFile<T>(name: string, use: (fd: number) => T): T {
  const fd = file.open(at, name, ["read-write", "create"], [], 0o640);
  try {
    return use(fd);
  } finally {
    sys.descriptor.close(fd);
  }
}

describe("opening", () => {
  test("magic links are refused where a rule says so, and only they", () => {
    expect(codeOfFailure(() => file.open("cwd", "/proc/self/root/etc", ["path"], ["no-magiclinks"]))).toBe("ELOOP");
    expect(codeOfFailure(() => file.open("cwd", `/proc/self/fd/${at}`, ["path"], ["no-magiclinks"]))).toBe("ELOOP");
    sys.descriptor.close(file.open("cwd", "/proc/self/status", ["read"], ["no-magiclinks"]));
    symlinkSync("/etc", join(folder, "etc"));
    sys.descriptor.close(file.open(at, "etc/passwd", ["path"], ["no-magiclinks"]));
    expect(codeOfFailure(() => file.open(at, "etc/passwd", ["path"], ["no-symlinks"]))).toBe("ELOOP");
    expect(codeOfFailure(() => file.open(at, "../x", ["path"], ["beneath"]))).toBe("EXDEV");
    expect(codeOfFailure(() => file.open("cwd", "/proc/self", ["path"], ["no-xdev"]))).toBe("EXDEV");
  });

  test("a link itself, a path descriptor opened in earnest, and errors", () => {
    writeFileSync(join(folder, "content"), "content");
    symlinkSync("content", join(folder, "link"));
    const link = file.open(at, "link", ["path", "nofollow"]);
    expect(file.status(link).type).toBe("symlink");
    expect(file.readLink(link, "").toString()).toBe("content");
    expect(codeOfFailure(() => file.reopen(link, ["read"]))).toBe("ELOOP");
    const path = file.open(at, "link", ["path"]);
    const fd = file.reopen(path, ["read"]);
    expect(sys.descriptor.read(fd, new Uint8Array(20))).toBe(7);
    expect(() => file.open(at, "none", ["read"])).toThrow('open "none" failed: ENOENT (No such file or directory)');
    expect(codeOfFailure(() => file.open(at, "a\0b", ["read"]))).toBe("EINVAL");
    expect(codeOfFailure(() => file.open(at, "x".repeat(256), ["read"]))).toBe("ENAMETOOLONG");
    for (const one of [link, path, fd]) sys.descriptor.close(one);
  });

  test("the kernel's name of a descriptor follows the file and says when it is gone", () =>
    withFile("renamed", (fd) => {
      expect(file.pathOf(fd).toString()).toBe(join(folder, "renamed"));
      file.rename(at, "renamed", at, "again", "noreplace");
      expect(file.pathOf(fd).toString()).toBe(join(folder, "again"));
      file.unlink(at, "again", "file");
      expect(file.pathOf(fd).toString()).toBe(`${join(folder, "again")} (deleted)`);
    }));
});

describe("status", () => {
  test("is what stat says, to the nanosecond", () =>
    withFile("status", (fd) => {
      writeSync(fd, "12345");
      const times = { atime_ns: 1_234_567_890_123_456_789n, mtime_ns: -1n };
      file.setTimes(fd, times);
      file.setOwner(fd, 1234, 4_000_000_000);
      file.setMode(fd, 0o6751);
      const seen = statSync(join(folder, "status"), { bigint: true });
      const status = file.status(fd);
      expect(status).toMatchObject({
        type: "file",
        mode: 0o6751,
        uid: 1234,
        gid: 4_000_000_000,
        links: 1,
        size_bytes: 5,
        node: null,
        ...times,
      });
      expect(status).toMatchObject({ inode: seen.ino, ctime_ns: seen.ctimeNs });
      expect(status.btime_ns).toBe(seen.birthtimeNs);
      file.setTimes(fd, { mtime_ns: 7n });
      expect(file.status(fd)).toMatchObject({ atime_ns: times.atime_ns, mtime_ns: 7n });
      expect(file.statusAt(at, "status")).toEqual(file.status(fd));
    }));

  test("device nodes, links, mount points and mounts", () => {
    expect(file.statusAt("cwd", "/dev/null")).toMatchObject({ type: "character-device", node: "1:3" });
    expect(file.statusAt("cwd", "/proc/self/exe").type).toBe("symlink");
    const proc = file.statusAt("cwd", "/proc");
    expect(proc.attributes).toContain("mount-root");
    const line = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((one) => one.startsWith(`${proc.mount_id} `));
    expect(line?.split(" ").slice(2, 5)).toEqual([proc.device, "/", "/proc"]);
  });

  test("immutable files say so", () => {
    writeFileSync(join(folder, "stone"), "");
    Bun.spawnSync(["chattr", "+i", join(folder, "stone")]);
    const status = file.statusAt(at, "stone");
    Bun.spawnSync(["chattr", "-i", join(folder, "stone")]);
    expect(status.attributes).toEqual(["immutable"]);
    expect(file.statusAt(at, "stone").attributes).toEqual([]);
  });
});

describe("names", () => {
  test("are bytes: entries, links and folders with names that no text can hold", () => {
    const strange = Buffer.from([0xff, 0x0a, 0x27, 0x2d]);
    file.makeFolder(at, "names", 0o700);
    const names = file.open(at, "names", ["read", "directory"]);
    file.makeFolder(names, strange, 0o700);
    file.symlink(strange, names, "link");
    expect(file.readLink(names, "link")).toEqual(strange);
    const entries = file.entries(names).sort((a, b) => Buffer.compare(a.name, b.name));
    expect(entries.map(({ name, type }) => [name.toString("latin1"), type])).toEqual([
      ["link", "symlink"],
      [strange.toString("latin1"), "directory"],
    ]);
    expect(entries[1]?.inode).toBe(file.statusAt(names, strange).inode);
    expect(codeOfFailure(() => file.unlink(names, strange, "file"))).toBe("EISDIR");
    file.unlink(names, strange, "directory");
    expect(file.entries(names)).toHaveLength(1);
    sys.descriptor.close(names);
  });

  test("a folder of thousands is told whole, each time from its start", () => {
    mkdirSync(join(folder, "many"));
    for (let index = 0; index < 3000; index++) writeFileSync(join(folder, "many", `entry-with-a-long-name-${index}`), "");
    const many = file.open(at, "many", ["read", "directory"]);
    expect(new Set(file.entries(many).map(({ name }) => name.toString())).size).toBe(3000);
    expect(file.entries(many)).toHaveLength(3000);
    sys.descriptor.close(many);
    expect(codeOfFailure(() => file.entries(at))).toBe("EBADF");
  });

  test("renames replace, refuse or exchange", () => {
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), name);
    expect(codeOfFailure(() => file.rename(at, "a", at, "b", "noreplace"))).toBe("EEXIST");
    file.rename(at, "a", at, "b", "exchange");
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("b");
    file.rename(at, "a", at, "b", "replace");
    expect(readFileSync(join(folder, "b"), "utf8")).toBe("b");
    expect(codeOfFailure(() => file.rename(at, "a", at, "b", "exchange"))).toBe("ENOENT");
  });

  test("a file without a name gets one, and a further one, but never another's", () => {
    const fd = file.open(at, ".", ["read-write", "nameless"], [], 0o600);
    writeSync(fd, "born whole");
    file.link(fd, at, "born");
    expect(readFileSync(join(folder, "born"), "utf8")).toBe("born whole");
    expect(codeOfFailure(() => file.link(fd, at, "born"))).toBe("EEXIST");
    const path = file.open(at, "born", ["path"]);
    file.link(path, at, "twice");
    expect(file.status(path).links).toBe(2);
    for (const one of [fd, path]) sys.descriptor.close(one);
  });
});

describe("extended attributes", () => {
  test("are listed, read, set and removed, by path descriptors and on links too", () =>
    withFile("attributed", (fd) => {
      expect(file.attributes(fd)).toEqual([]);
      file.setAttribute(fd, "user.empty", new Uint8Array());
      file.setAttribute(fd, "user.bytes", Buffer.from([0, 255, 0]));
      const path = file.open(at, "attributed", ["path"]);
      expect(file.attributes(path).sort()).toEqual(["user.bytes", "user.empty"]);
      expect(file.attribute(path, "user.bytes")).toEqual(Buffer.from([0, 255, 0]));
      expect(file.attribute(path, "user.empty")).toEqual(Buffer.alloc(0));
      expect(file.attribute(path, "user.none")).toBeNull();
      file.removeAttribute(path, "user.bytes");
      expect(file.attributes(fd)).toEqual(["user.empty"]);
      expect(codeOfFailure(() => file.removeAttribute(fd, "user.bytes"))).toBe("ENODATA");
      file.symlink("attributed", at, "attributed-link");
      const link = file.open(at, "attributed-link", ["path", "nofollow"]);
      expect(file.attributes(link)).toEqual([]);
      file.setAttribute(link, "trusted.mark", Buffer.from("x"));
      expect(file.attributes(link)).toEqual(["trusted.mark"]);
      expect(codeOfFailure(() => file.setMode(link, 0o600))).toBe("EOPNOTSUPP");
      for (const one of [path, link]) sys.descriptor.close(one);
    }));

  test("where there are none, the list is empty, and each is missing", () => {
    const fd = file.open("cwd", "/proc/self/status", ["path"]);
    expect(file.attributes(fd)).toEqual([]);
    expect(file.attribute(fd, "user.none")).toBeNull();
    expect(codeOfFailure(() => file.setAttribute(fd, "user.x", Buffer.from("x")))).not.toBe("ok");
    sys.descriptor.close(fd);
  });
});

describe("content", () => {
  test("copies ranges, finds data and holes, truncates", () =>
    withFile("sparse", (from) =>
      withFile("copied", (to) => {
        file.truncate(from, 8 * 1024 * 1024 * 1024);
        writeSync(from, "end", 6 * 1024 * 1024 * 1024);
        expect(file.seek(from, 0, "data")).toBe(6 * 1024 * 1024 * 1024);
        expect(file.seek(from, 6 * 1024 * 1024 * 1024, "hole")).toBeGreaterThan(6 * 1024 * 1024 * 1024);
        expect(file.seek(from, 7 * 1024 * 1024 * 1024, "data")).toBeNull();
        expect(file.seek(from, 6 * 1024 * 1024 * 1024, "start")).toBe(6 * 1024 * 1024 * 1024);
        expect(file.copyRange(from, to, 3)).toBe(3);
        expect(readFileSync(join(folder, "copied"), "utf8")).toBe("end");
        expect(file.seek(to, 0, "end")).toBe(3);
        expect(file.copyRange(to, from, 10)).toBe(0);
        file.truncate(from, 0);
      }),
    ));

  test("what cannot share blocks says so", () =>
    withFile("whole", (from) =>
      withFile("shared", (to) => {
        writeSync(from, "x");
        expect(["ok", "EOPNOTSUPP"]).toContain(codeOfFailure(() => file.clone(from, to)));
      }),
    ));

  test("is synced on another thread, with the errno of that thread", async () => {
    const fd = file.open(at, "synced", ["write", "create"], [], 0o600);
    await file.sync(fd);
    await file.syncAll(fd);
    sys.descriptor.close(fd);
    let caught: unknown;
    await file.sync(fd).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).toMatchObject({ code: "EBADF" });
  });

  test("locks hold against another opening and are given back", () =>
    withFile("locked", (one) =>
      withFile("locked", (other) => {
        expect(file.lock(one, "shared")).toBe(true);
        expect(file.lock(other, "shared")).toBe(true);
        expect(file.lock(other, "exclusive")).toBe(false);
        expect(file.lock(one, "unlock")).toBe(true);
        expect(file.lock(other, "exclusive")).toBe(true);
      }),
    ));

  test("a full file system is ENOSPC, a read-only one EROFS", async () => {
    const value = await valueInNamespaces(`
      import { mkdirSync, writeSync } from "node:fs";
      const at = ${JSON.stringify(join(folder, "mnt"))};
      mkdirSync(at);
      sys.mount.mount({ source: "t", target: at, type: "tmpfs", data: "size=64k" });
      const codeOf = (work) => { try { work(); return "ok"; } catch (error) { return error.code; } };
      const fd = sys.file.open("cwd", at + "/full", ["write", "create"], [], 0o600);
      const full = codeOf(() => { for (;;) writeSync(fd, "x".repeat(4096)); });
      sys.descriptor.close(fd);
      sys.mount.mount({ source: "t", target: at, type: "", flags: ["remount", "ro"] });
      const dir = sys.file.open("cwd", at, ["path"]);
      console.log(JSON.stringify({ full, ro: codeOf(() => sys.file.makeFolder(dir, "x", 0o700)) }));
    `);
    expect(value).toEqual({ full: "ENOSPC", ro: "EROFS" });
  });
});

test("inotify tells what happens in a folder, in order, by name", () => {
  const inotify = sys.inotify.open();
  const watched = mkdtempSync(join(folder, "watched-"));
  const path = file.open("cwd", watched, ["path"]);
  const watch = sys.inotify.watch(inotify, path, ["created", "moved-from", "moved-to", "deleted", "closed-after-writing"]);
  expect(sys.inotify.events(inotify)).toEqual([]);
  writeFileSync(join(watched, "one"), "x");
  file.rename(path, "one", path, "two", "replace");
  mkdirSync(join(watched, "dir"));
  const events = sys.inotify.events(inotify);
  expect(events.map(({ kinds, name }) => `${kinds.join()} ${name}`)).toEqual([
    "created one",
    "closed-after-writing one",
    "moved-from one",
    "moved-to two",
    "created dir",
  ]);
  expect(events[2]?.cookie).toBe(events[3]?.cookie ?? -1);
  expect(events.map((one) => [one.watch, one.is_directory]).at(-1)).toEqual([watch, true]);
  for (const fd of [inotify, path]) sys.descriptor.close(fd);
});
