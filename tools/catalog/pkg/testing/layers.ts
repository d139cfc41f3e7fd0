/**
 * Random layers, made by the kernel's own overlayfs, and what it shows of them: as many as they are, and merged. In the
 * namespaces in which it is started: `bun tools/catalog/pkg/testing/layers.ts ROUNDS SEED`. The last line is JSON.
 */

import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../../../../sys/linux.ts";
import { seeded } from "../../../../wire/seeded.ts";
import { mergeLayers } from "../shared/merge.ts";
import { overlay_options } from "../shared/mounts.ts";

const sys = linuxSystem();
const names = ["a", "b", "c", "d"];

type Random = (below: number) => number;

function randomBy(seed: number): Random {
  const next = seeded(seed);
  return (below) => Math.floor(next() * below);
}

function pathIn(root: string, random: Random): string {
  return join(root, ...Array.from({ length: 1 + random(3) }, () => names[random(names.length)] ?? "a"));
}

/** What an installation may do to files. What does not go (no such folder, a folder in the way) is left. */
const changes: readonly ((root: string, random: Random) => void)[] = [
  (root, random) => writeFileSync(pathIn(root, random), `content ${random(1000)}`),
  (root, random) => writeFileSync(pathIn(root, random), `content ${random(1000)}`),
  (root, random) => mkdirSync(pathIn(root, random), { recursive: true }),
  (root, random) => mkdirSync(pathIn(root, random), { recursive: true }),
  (root, random) => rmSync(pathIn(root, random), { recursive: true }),
  (root, random) => symlinkSync(`to-${random(9)}`, pathIn(root, random)),
  (root, random) => chmodSync(pathIn(root, random), 0o700 + random(64)),
  (root, random) => chownSync(pathIn(root, random), random(3), random(3)),
  (root, random) => renameSync(pathIn(root, random), pathIn(root, random)),
  (root, random) => linkSync(pathIn(root, random), pathIn(root, random)),
  (root, random) => setAttribute(pathIn(root, random), `user.${names[random(2)]}`, random(3) === 0 ? null : `value ${random(9)}`),
];

function setAttribute(path: string, name: string, value: string | null): void {
  const fd = sys.file.open("cwd", path, ["read"]);
  try {
    if (value === null) sys.file.removeAttribute(fd, name);
    else sys.file.setAttribute(fd, name, Buffer.from(value));
  } finally {
    sys.descriptor.close(fd);
  }
}

function change(root: string, random: Random): void {
  for (let count = 3 + random(14); count > 0; count -= 1)
    try {
      changes[random(changes.length)]?.(root, random);
    } catch {
      // it does not go here
    }
}

/** All that a program can see of a tree, but for times of access and numbers of inodes and links. */
function view(folder: string, inside = ""): unknown[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const status = lstatSync(path, { bigint: true });
      const what = status.isSymbolicLink()
        ? readlinkSync(path)
        : status.isFile()
          ? createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12)
          : "";
      const row = [
        join(inside, name),
        status.mode,
        status.uid,
        status.gid,
        status.mtimeNs,
        what,
        attributesOf(path, status.isSymbolicLink()),
      ];
      return [row.map(String), ...(status.isDirectory() ? view(path, join(inside, name)) : [])];
    });
}

function attributesOf(path: string, is_link: boolean): string {
  if (is_link) return "";
  const fd = sys.file.open("cwd", path, ["read", "nonblock"]);
  try {
    return sys.file
      .attributes(fd)
      .sort()
      .map((name) => `${name}=${sys.file.attribute(fd, name)}`)
      .join(",");
  } finally {
    sys.descriptor.close(fd);
  }
}

async function round(folder: string, random: Random): Promise<string | null> {
  const at = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const mounted = async <T>(options: string, work: (root: string) => T): Promise<T> => {
    await sys.mount.mount({ source: "layers", target: at("mounted"), type: "overlay", flags: [], data: `${options},${overlay_options}` });
    try {
      return work(at("mounted"));
    } finally {
      sys.mount.unmount(at("mounted"), []);
    }
  };
  const base = at("base");
  change(base, random);
  const layers: string[] = [];
  for (let number = 2 + random(4); number > 0; number -= 1) {
    const upper = at(`layer-${layers.length}`);
    const below = [...layers].reverse();
    await mounted(`lowerdir=${[...below, base].join(":")},upperdir=${upper},workdir=${at(`work-${layers.length}`)}`, (root) =>
      change(root, random),
    );
    layers.push(upper);
  }
  const into = at("merged");
  await mergeLayers({ layers, base, into }, { sys, signal: new AbortController().signal });
  const many = await mounted(`lowerdir=${[...layers].reverse().join(":")}:${base}`, (root) => view(root));
  const one = await mounted(`lowerdir=${into}:${base}`, (root) => view(root));
  const [wanted, found] = [JSON.stringify(many), JSON.stringify(one)];
  return wanted === found ? null : `the layers show\n${many.join("\n")}\nand merged\n${one.join("\n")}`;
}

if (import.meta.main) {
  const [rounds = 1, seed = 1] = process.argv.slice(2).map(Number);
  const home = mkdtempSync(join(tmpdir(), "layers-"));
  let [problem, seen]: [string | null, number] = [null, 0];
  try {
    // overlayfs keeps its notes in attributes that not every file system has
    await sys.mount.mount({ source: "layers", target: home, type: "tmpfs", flags: [], data: "mode=755" });
    for (; seen < rounds && problem === null; seen += 1) {
      problem = await round(join(home, String(seen)), randomBy(seed + seen));
      if (problem !== null) problem = `seed ${seed + seen}: ${problem}`;
    }
  } finally {
    sys.mount.unmount(home, ["detach"]);
    rmSync(home, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify({ rounds: seen, problem })}\n`);
}
