/** Resolving by the kernel: what is found, under which names, and what nobody can reach. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";
import { testPlaces } from "../testing/context.ts";
import { parseMounts } from "./mounts.ts";
import { decodeName, encodeName, showName } from "./path-text.ts";
import { openExisting, openPlace } from "./place.ts";
import { resourcesOf } from "./resources.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys, work, places } = tests;
afterAll(() => tests.remove());
const ports = { sys, places };
writeFileSync(join(work, "file"), "content");
mkdirSync(join(work, "dir/inner"), { recursive: true });
symlinkSync("file", join(work, "link"));
symlinkSync("nowhere", join(work, "dangling"));
symlinkSync(join(work, "dir"), join(work, "dirlink"));
symlinkSync("circle", join(work, "circle"));

function pathOf(path: string, link: "follow" | "itself" = "follow"): string {
  const place = openPlace(ports, path, link);
  place.close();
  place.close();
  return place.path;
}

describe("names", () => {
  test("are the kernel's: dots, doubled slashes, links and what is to be made", () => {
    expect(pathOf(`${work}//dirlink/./inner/../../link`)).toBe(join(work, "file"));
    expect(pathOf(`${work}/link`, "itself")).toBe(join(work, "link"));
    expect(pathOf(`${work}/dirlink/new`)).toBe(join(work, "dir/new"));
    expect(pathOf(`${work}/dirlink/new/`)).toBe(join(work, "dir/new"));
    expect(pathOf("/")).toBe("/");
    expect(pathOf("/..")).toBe("/");
    expect(pathOf("/proc")).toBe("/proc");
    expect(pathOf(`${work}/.`)).toBe(work);
  });

  test("case and Unicode forms are different names, as they are for the kernel", () => {
    writeFileSync(join(work, "é"), "composed");
    expect(pathOf(join(work, "é"))).toBe(join(work, "é"));
    expect(openPlace(ports, join(work, "e\u0301"), "follow").fd).toBeNull();
    expect(openPlace(ports, join(work, "FILE"), "follow").fd).toBeNull();
    writeFileSync(join(work, "line\nbreak\u202e"), "");
    expect(pathOf(join(work, "line\nbreak\u202e"))).toBe(join(work, "line\nbreak\u202e"));
  });

  test("a file whose name ends like that of a deleted one is found; a deleted one is not", () => {
    writeFileSync(join(work, "x (deleted)"), "");
    expect(pathOf(join(work, "x (deleted)"))).toBe(join(work, "x (deleted)"));
  });

  test("bytes that are no text go there and back, and cannot be named", () => {
    const bytes = Buffer.from([0x66, 0xff]);
    expect(decodeName(encodeName(bytes))).toEqual(bytes);
    expect(decodeName(encodeName(Buffer.from("\ufeffnaïve")))).toEqual(Buffer.from("\ufeffnaïve"));
    expect(showName(bytes)).toEqual({ name: "f\ufffd", bytes_base64: "Zv8=" });
    const folder = sys.file.open("cwd", work, ["path"]);
    sys.file.makeFolder(folder, bytes, 0o700);
    symlinkSync(work, join(work, "to-work"));
    sys.file.symlink(Buffer.concat([bytes, Buffer.from("/")]), folder, "strange");
    expect(() => pathOf(join(work, "strange/x"))).toThrow("is not UTF-8");
    sys.descriptor.close(folder);
  });
});

describe("refused", () => {
  const cases: readonly [string, string][] = [
    ["relative", "it is not absolute"],
    ["", "it is not absolute"],
    [`${work}/a\0b`, "zero byte"],
    [`${work}/\ud800`, "surrogate"],
    [`/${"x/".repeat(2100)}`, "longer than 4095 bytes"],
    [`${work}/${"x".repeat(256)}`, "longer than 255 bytes"],
    [`${work}/none/x`, "a folder on its way does not exist"],
    [`${work}/file/x`, "is no folder"],
    [`${work}/circle`, "circle of links"],
    [`${work}/dangling`, "leads nowhere"],
    [`${work}/none/..`, "there is nothing"],
    ["/proc/self/root/etc/passwd", "magic link"],
    ["/proc/self/cwd/file", "magic link"],
    ["/proc/thread-self/root/etc/shadow", "magic link"],
    ["/proc/1/root/etc/shadow", "failed: "], // in a container the kernel refuses it even earlier (EACCES)
    ["/proc/self/fd/0", "magic link"],
    ["/dev/stdin", "magic link"],
    ["/dev/fd/0", "magic link"],
    ["/proc/self/exe", "magic link"],
    ["/proc/self/ns/mnt", "magic link"],
    ["/proc/self/mem", "memory"],
    ["/proc/self/task/self/mem", "does not exist"],
  ];
  for (const [path, cause] of cases) test(JSON.stringify(path.slice(0, 60)), () => expect(() => pathOf(path)).toThrow(cause));

  test("what is not there where something has to be", () =>
    expect(() => openExisting(ports, join(work, "none"), "follow")).toThrow(
      `resolving "${join(work, "none")}" failed: there is nothing (ENOENT)`,
    ));

  test("no descriptor is left open by any of them", () => {
    const open = (): number => sys.file.entries(fds).length;
    const fds = sys.file.open("cwd", "/proc/self/fd", ["read", "directory"]);
    const before = open();
    for (const [path] of cases) expect(() => openExisting(ports, path, "follow")).toThrow();
    openPlace(ports, work, "follow").close();
    expect(open()).toBe(before);
    sys.descriptor.close(fds);
  });
});

describe("the broker's own folder", () => {
  test("is not reached by its path, by links, or by dots; the trash neither", () => {
    symlinkSync(places.broker, join(work, "to-broker"));
    mkdirSync(join(work, ".aios-trash"));
    writeFileSync(join(places.broker, "audit.db"), "");
    for (const path of [
      places.broker,
      `${places.broker}/audit.db`,
      `${places.broker}/new`,
      `${work}/to-broker/audit.db`,
      `${work}/../data/broker`,
    ])
      expect(() => pathOf(path)).toThrow("belongs to the broker");
    expect(pathOf(join(work, "to-broker"), "itself")).toBe(join(work, "to-broker"));
    expect(pathOf(`${places.broker}s-not`)).toBe(`${places.broker}s-not`);
    expect(() => pathOf(join(work, ".aios-trash/x"))).toThrow("what was removed");
  });
});

describe("resources", () => {
  test("have the attributes of the file and of its mount", () => {
    linkSync(join(work, "file"), join(work, "second"));
    const place = openExisting(ports, join(work, "link"), "follow");
    expect(resourcesOf(place, "write", { recursive: true })).toEqual([
      {
        kind: "path",
        id: join(work, "file"),
        access: "write",
        attributes: expect.objectContaining({
          exists: true,
          type: "file",
          links: 2,
          size_bytes: 7,
          uid: 0,
          setuid: false,
          recursive: true,
        }),
      },
    ]);
    place.close();
    const absent = openPlace(ports, join(work, "new"), "follow");
    expect(resourcesOf(absent, "write")[0]?.attributes).toMatchObject({ exists: false, read_only: false, device: place.status.device });
    absent.close();
    rmSync(join(work, "second"));
  });

  test("what other mounts show is there under every name, hidden names not, and the broker's under none", async () => {
    const value = await valueInNamespaces(`
      import { mkdirSync, writeFileSync } from "node:fs";
      import { openPlace } from ${JSON.stringify(join(import.meta.dir, "place.ts"))};
      import { resourcesOf } from ${JSON.stringify(join(import.meta.dir, "resources.ts"))};
      const work = ${JSON.stringify(join(work, "mounts"))};
      for (const name of ["secret/deep", "bind", "bind2", "tmpfs", "again", "hidden/deep"]) mkdirSync(work + "/" + name, { recursive: true });
      writeFileSync(work + "/secret/deep/key", "");
      writeFileSync(work + "/hidden/deep/key", "");
      const bind = (source, target) => sys.mount.mount({ source, target, type: "", flags: ["bind"] });
      bind(work + "/secret", work + "/bind");
      bind(work + "/bind/deep/key", work + "/hidden/deep/key");
      sys.mount.mount({ source: "t", target: work + "/tmpfs", type: "tmpfs", flags: ["nosuid"] });
      mkdirSync(work + "/tmpfs/a b");
      bind(work + "/tmpfs/a b", work + "/again");
      bind(work + "/hidden", work + "/bind2");
      sys.mount.mount({ source: "over", target: work + "/hidden", type: "tmpfs" });
      const ports = { sys, places: { broker: ${JSON.stringify(places.broker)} } };
      const names = (path) => { try { const p = openPlace(ports, path, "follow"); return p.names.map((n) => n.slice(work.length)); } catch (error) { return error.message; } };
      mkdirSync(work + "/broker-bind");
      bind(${JSON.stringify(places.broker)}, work + "/broker-bind");
      mkdirSync(work + "/data-bind");
      bind(${JSON.stringify(places.data)}, work + "/data-bind");
      console.log(JSON.stringify({
        key: names(work + "/bind/deep/key"), real: names(work + "/secret/deep/key"), fresh: names(work + "/bind/new"),
        tmpfs: names(work + "/again"), inside: names(work + "/tmpfs/a b/x"), root: names(work + "/bind"),
        broker: names(work + "/broker-bind/audit.db"), data: names(work + "/data-bind/broker"),
        options: resourcesOf(openPlace(ports, work + "/tmpfs", "follow"), "read")[0].attributes,
      }));
    `);
    const mounts = value as Record<string, unknown>;
    expect(mounts).toMatchObject({
      key: ["/bind/deep/key", "/secret/deep/key"],
      real: ["/secret/deep/key", "/bind/deep/key"],
      fresh: ["/bind/new", "/secret/new"],
      tmpfs: ["/again", "/tmpfs/a b"],
      inside: ["/tmpfs/a b/x", "/again/x"],
      root: ["/bind", "/secret"],
      broker: expect.stringContaining("belongs to the broker"),
      data: expect.stringContaining("belongs to the broker"),
      options: { file_system: "tmpfs", mount: join(work, "mounts/tmpfs"), mount_options: expect.stringContaining("nosuid") },
    });
  });

  test("the mount table is read with its escapes", () => {
    const [mount] = parseMounts(
      Buffer.from("36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 - ext3 /dev/ro\\011ot rw,errors=continue\n\nrubbish\n"),
    );
    expect(mount).toEqual({
      ...{ id: 36, parent_id: 35, device: "98:0", root: "/mnt1", point: "/mnt 2\\x", options: ["rw", "noatime"] },
      ...{ type: "ext3", source: "/dev/ro\tot", super_options: ["rw", "errors=continue"] },
    });
  });
});

describe("races", () => {
  test("a link swapped in a loop by another process: what is found is one of both, by its own name, and the descriptor is that", async () => {
    const folder = join(work, "race");
    mkdirSync(join(folder, "good"), { recursive: true });
    mkdirSync(join(folder, "bad"));
    for (const name of ["good", "bad"]) writeFileSync(join(folder, name, "file"), name);
    const swapper = Bun.spawn(
      [
        "python3",
        "-c",
        `
import os
os.chdir(${JSON.stringify(folder)})
os.symlink("good","at")
print("on",flush=True)
while True:
    for target in ("bad","good"):
        os.symlink(target,"next"); os.rename("next","at")
`,
      ],
      { stdout: "pipe" },
    );
    await swapper.stdout.getReader().read();
    const seen = new Set<string>();
    for (let round = 0; round < 2000; round++) {
      const place = openExisting(ports, join(folder, "at/file"), "follow");
      const fd = sys.file.reopen(place.fd, ["read"]);
      const bytes = Buffer.alloc(10);
      const content = bytes.toString("utf8", 0, sys.descriptor.read(fd, bytes) ?? 0);
      sys.descriptor.close(fd);
      expect(place.path).toBe(join(folder, content, "file"));
      seen.add(content);
      place.close();
    }
    swapper.kill("SIGKILL");
    await swapper.exited;
    expect(seen.size).toBe(2);
  }, 60_000);

  test("a folder that is renamed after resolving stays the same folder", () => {
    const place = openPlace(ports, join(work, "dir/fresh"), "itself");
    renameSync(join(work, "dir"), join(work, "moved"));
    mkdirSync(join(work, "dir"));
    sys.file.makeFolder(place.folder, place.name, 0o700);
    expect(openPlace(ports, join(work, "moved/fresh"), "itself").status?.type).toBe("directory");
    expect(openPlace(ports, join(work, "dir/fresh"), "itself").fd).toBeNull();
    place.close();
  });
});
