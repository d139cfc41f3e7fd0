/** Cases of the file tools (testing/case.ts). Each world has a folder with everything in it that files can have. */

import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linuxSystem } from "../../../sys/linux.ts";
import { readMounts } from "../../paths/mounts.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree, type TreeEntry } from "../../testing/tree.ts";

const sys = linuxSystem();

type Tree = Record<string, TreeEntry>;
type Args = Record<string, unknown>;

/** A file with privileges and an ACL, a tree with links, holes and a name that is no text. */
function fill({ folder }: World): void {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("tree/sub/deep"), { recursive: true });
  writeFileSync(at("file"), "content\n");
  writeFileSync(at("tree/a"), "a");
  linkSync(at("tree/a"), at("tree/sub/twin"));
  symlinkSync("../nowhere", at("tree/sub/link"));
  writeFileSync(at("tree/sub/deep/empty"), "");
  const fd = sys.file.open("cwd", at("tree"), ["path"]);
  sys.file.makeFolder(fd, Buffer.from([0xff]), 0o700);
  sys.descriptor.close(fd);
  for (const name of ["file", "tree/a", "tree/sub"]) decorate(sys, at(name));
}

const observe = ({ folder }: World): Tree => readTree(sys, folder);

/** Two runs have all but the times in common. */
const effect = (world: World): Tree =>
  Object.fromEntries(Object.entries(observe(world)).map(([path, entry]) => [path, { ...entry, mtime_ns: "" }]));

const nowhere = (member: string, args: Args): Args[] =>
  ["relative", "/proc/self/root/etc/passwd", "/no/such/thing", "/\0", ""].map((path) => ({ ...args, [member]: path }));

/** @param args with paths below the world's folder as `@name` */
function onTree(tool: string, name: string, args: Args, more: Partial<ToolCase> = {}): ToolCase {
  const placed = ({ folder }: World, wanted: Args): Args =>
    Object.fromEntries(
      Object.entries(wanted).map(([key, value]) => [
        key,
        typeof value === "string" && value.startsWith("@") ? join(folder, value.slice(1)) : value,
      ]),
    );
  const [member = "path"] = Object.keys(args);
  return {
    ...{ tool: `fs.${tool}`, name, observe, effect },
    prepare(world) {
      fill(world);
      return placed(world, args);
    },
    bad: (world) => [...nowhere(member, placed(world, args)), { ...placed(world, args), [member]: world.places.broker }],
    ...more,
  };
}

const mountsBelow = ({ folder }: World): unknown =>
  readMounts()
    .filter(({ point }) => point.startsWith(folder))
    .map(({ point, type, root, options }) => ({ point: point.slice(folder.length), type, bound: root.endsWith("/tree"), options }));

const mounted: Partial<ToolCase> = {
  observe: (world) => [mountsBelow(world), readdirSync(world.folder)],
  effect: mountsBelow,
  clean({ folder }) {
    for (const { point } of readMounts().filter((one) => one.point.startsWith(folder))) sys.mount.unmount(point, ["detach"]);
  },
};

/** Another mount in the world, whose root is there before and after. */
function withMemory(one: ToolCase): ToolCase {
  return {
    ...one,
    async prepare(world) {
      const args = await one.prepare(world);
      const at = join(world.folder, "memory");
      mkdirSync(at);
      sys.mount.mount({ source: "tmpfs", target: at, type: "tmpfs", data: "size=1m,mode=0755" });
      mkdirSync(join(at, ".aios-trash"), { mode: 0o700 });
      return args;
    },
    clean({ folder }) {
      sys.mount.unmount(join(folder, "memory"), ["detach"]);
    },
  };
}

export const fs_cases: readonly ToolCase[] = [
  onTree("read", "a file", { path: "@file" }),
  onTree("list", "a tree", { path: "@tree", depth: 5 }),
  onTree("stat", "a file with everything", { path: "@file" }),
  onTree("find", "by name", { path: "@tree", name: "a*" }),
  onTree("search", "a text", { path: "@tree", pattern: "a" }),
  onTree("usage", "a tree", { path: "@tree" }),
  onTree("checksum", "a file", { path: "@file" }),
  onTree("watch", "a folder for a moment", { path: "@tree", duration_ms: 100 }),
  onTree("write", "a new file", { path: "@new", content: "new", how: "create", mode: "0600" }, { bad: newFileBad }),
  onTree("write", "replacing a file with everything", { path: "@file", content: "new", how: "replace" }),
  onTree("write", "appending", { path: "@file", content: "more\n", how: "append" }),
  onTree(
    "write",
    "replacing one of two names",
    { path: "@tree/a", content: "new", how: "write", break_links: true },
    { observe: unlinked },
  ),
  onTree("edit", "a text", { path: "@file", edits: [{ old: "content", new: "discontent" }] }),
  onTree("copy", "a tree", { from: "@tree", to: "@copy" }),
  onTree("copy", "a file over a tree", { from: "@file", to: "@tree", replace: true, allow_setuid: true }),
  withMemory(onTree("copy", "a tree to another mount", { from: "@tree", to: "@memory/copy" })),
  onTree("move", "a tree", { from: "@tree", to: "@moved" }),
  onTree("move", "a file over a tree", { from: "@file", to: "@tree", replace: true }),
  withMemory(onTree("move", "a tree to another mount", { from: "@tree", to: "@memory/moved" })),
  onTree("remove", "a tree", { path: "@tree", recursive: true }),
  onTree("remove", "a file with everything", { path: "@file" }),
  onTree(
    "mkdir",
    "a chain",
    { path: "@tree/x/y/z", parents: true },
    { bad: () => [{ path: "relative" }, { path: "/proc/x/y", parents: true }] },
  ),
  onTree(
    "link",
    "symbolic",
    { path: "@link", to: "file", kind: "symbolic" },
    { bad: () => [{ path: "relative", to: "x", kind: "symbolic" }] },
  ),
  onTree(
    "link",
    "hard",
    { path: "@link", to: "@file", kind: "hard" },
    { bad: () => [{ path: "/proc/x", to: "/etc/passwd", kind: "hard" }] },
  ),
  onTree("chmod", "a file with everything", { path: "@file", mode: "0600" }),
  onTree("chmod", "a tree", { path: "@tree", mode: "0640", folder_mode: "0750", recursive: true }),
  onTree("chown", "a tree", { path: "@tree", uid: 77, gid: 78, recursive: true }),
  onTree("mount", "a second view of a folder", { target: "@tree/sub", type: "bind", source: "@tree", read_only: true }, mounted),
  onTree("mount", "memory", { target: "@tree/sub", type: "tmpfs", size_bytes: 65_536 }, mounted),
  {
    ...onTree("unmount", "a second view of a folder", { path: "@tree/sub" }, mounted),
    prepare(world) {
      fill(world);
      const path = join(world.folder, "tree/sub");
      sys.mount.mount({ source: join(world.folder, "tree"), target: path, type: "", flags: ["bind"] });
      sys.mount.mount({ source: "", target: path, type: "", flags: ["remount", "bind", "nosuid", "nodev"] });
      return { path };
    },
  },
];

function newFileBad({ folder }: World): Args[] {
  const args = { content: "x", how: "create" };
  return [
    { ...args, path: "relative" },
    { ...args, path: join(folder, "file") },
    { ...args, path: join(folder, "none/x") },
    { ...args, path: `${folder}/${"n".repeat(256)}` },
    { ...args, path: join(folder, "new"), mode: "4755" },
  ];
}

/** A file that was kept as a copy comes back alone: how many names it has is the one thing that differs. */
function unlinked(world: World): Tree {
  return Object.fromEntries(
    Object.entries(observe(world)).map(([path, entry]) => [path, { ...entry, links: entry.type === "file" ? 0 : entry.links }]),
  );
}
