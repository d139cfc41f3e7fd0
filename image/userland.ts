/**
 * The base of the userland: a minimal Debian as a read-only erofs file, beside the root and not in it. `build/userland.erofs`
 * goes onto the ESP; its SHA-256 stands in the root (`/usr/lib/aios/userland.json`), so that nothing else is ever taken for
 * it. What tools install lies in layers above it, on the data partition (tools/catalog/pkg/).
 */

import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { cached, keyOf } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { readDebianPackages } from "./debian-packages.ts";
import { type Base, mkosi, runTool } from "./mkosi.ts";
import { build, image } from "./places.ts";
import type { Release } from "./release.ts";
import { DebianElements } from "./sbom/debian-element.ts";
import { basics, fileElement, purl, related, writeDocument } from "./sbom/document.ts";
import { walk } from "./walk.ts";

export interface Userland {
  /** The erofs file, in the cache. */
  readonly file: string;
  /** What the root says of it: `/usr/lib/aios/userland.json`. */
  readonly pin: string;
  readonly key: string;
}

const mebibyte = 1024 * 1024;
/** The ESP holds two of them beside the kernels. */
const size_max = 72 * mebibyte;

/** Fixed, so that the same packages make the same bytes. */
const file_system_uuid = "6b0c5a52-8e0b-4c0e-9d3a-a105a105ba5e";
/** The release of Debian 13 (2025-08-09): what the build itself makes has no better date. */
const time_s = 1_754_697_600;
/** It is read seldom and lies on a small partition: zstd, where the root has lz4hc. */
const erofs_options = ["-zzstd,level=15", "-C65536", `-T${time_s}`, `-U${file_system_uuid}`, "--quiet"] as const;

/** What an installed system accumulates and nobody needs; folders are emptied. */
const emptied = [
  ...["usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/groff", "usr/share/lintian"],
  ...["var/cache", "var/log", "var/lib/apt/lists", "var/tmp", "tmp", "run", "root", "boot", "home"],
];
const removed = [
  ...["etc/.pwd.lock", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-"],
  ...["etc/machine-id", "etc/hostname", "etc/resolv.conf", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed"],
  ...["var/lib/dpkg/status-old", "var/lib/dpkg/available", "var/lib/dpkg/diversions-old", "var/lib/dpkg/statoverride-old"],
  ...["var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/dpkg/triggers/Lock"],
];
/** Mount points of a sandbox (tools/exec, init/supervise), which cannot be made in a read-only root. */
const mount_points = ["dev", "proc", "run", "sys", "tmp", "mnt", "srv", "var/lib/aios", "var/cache/apt/archives/partial"];
const links = [
  ["etc/resolv.conf", "/run/aios/etc/resolv.conf"],
  ["etc/hostname", "/run/aios/etc/hostname"],
  ["etc/machine-id", "/run/aios/etc/machine-id"],
] as const;

export async function userlandBase(base: Base, release: Release): Promise<Userland> {
  const definition = join(image, "mkosi/userland");
  const files = [definition, join(image, "userland"), join(image, "userland.ts"), join(image, "sbom")];
  const key = keyOf({ files, values: [base.key] });
  const entry = await cached("userland", key, async (folder) => {
    await step("userland: a minimal Debian 13 with apt (about a minute)", (tell) =>
      mkosi(definition, folder, ["--tools-tree", base.tools], tell),
    );
    const tree = join(folder, "userland");
    if (!existsSync(tree)) throw new Error(`building the base of the userland failed: mkosi left no "${tree}"; see the log beside build/`);
    for (const name of readdirSync(folder)) if (name !== "userland") rmSync(join(folder, name), { recursive: true, force: true });
    strip(tree);
    await step("userland.erofs: packing", () =>
      runTool(base, ["mkfs.erofs", ...erofs_options, "/mnt/out/userland.erofs", "/mnt/tree"], { inputs: { tree }, output: folder }),
    );
    writeBom(tree, join(folder, "userland.spdx.json"), release);
    writeFileSync(join(folder, "userland.json"), pinOf(join(folder, "userland.erofs"), tree));
    rmSync(tree, { recursive: true, force: true });
  });
  const file = join(entry, "userland.erofs");
  const pin = readFileSync(join(entry, "userland.json"), "utf8");
  mkdirSync(build, { recursive: true });
  for (const name of ["userland.erofs", "userland.json", "userland.spdx.json"]) place(join(entry, name), join(build, name));
  const { size } = statSync(file);
  say(`userland.erofs: ${(size / mebibyte).toFixed(1)} MiB`);
  if (size > size_max) throw new Error(`packing the userland failed: ${size} bytes is more than ${size_max}; look for what grew`);
  return { file, pin, key };
}

function place(from: string, to: string): void {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function pinOf(file: string, tree: string): string {
  const bytes = readFileSync(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const debian = readFileSync(join(tree, "etc/debian_version"), "utf8").trim();
  return `${JSON.stringify({ sha256, size_bytes: bytes.length, debian })}\n`;
}

/** Leaves what packages need, the same for the same packages whenever it is built. */
function strip(tree: string): void {
  for (const name of emptied) empty(join(tree, name));
  for (const name of removed) rmSync(join(tree, name), { recursive: true, force: true });
  const doc = join(tree, "usr/share/doc");
  for (const { host_path, kind } of walk(doc))
    if (!kind.isDirectory() && basename(host_path) !== "copyright" && !isFolderLink(host_path)) unlinkSync(host_path);
  for (const path of mount_points) mkdirSync(join(tree, path), { recursive: true });
  for (const [path, to] of links) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    symlinkSync(to, join(tree, path));
  }
  copyTree(join(image, "userland/tree"), tree);
  chmodSync(join(tree, "usr/sbin/policy-rc.d"), 0o755);
  for (const path of ["tmp", "var/tmp"]) chmodSync(join(tree, path), 0o1777);
  // services have no_new_privs: the bits would only mislead whoever looks for them
  for (const { host_path, kind } of walk(tree))
    if (!kind.isSymbolicLink() && (kind.mode & 0o6000) !== 0 && kind.isFile()) chmodSync(host_path, kind.mode & 0o1777);
}

/** `/usr/share/doc/libgcc-s1` → `gcc-14-base` */
function isFolderLink(path: string): boolean {
  return lstatSync(path).isSymbolicLink() && !readlinkSync(path).includes("/");
}

function empty(folder: string): void {
  if (existsSync(folder)) for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

function copyTree(from: string, to: string): void {
  for (const name of readdirSync(from).sort()) {
    const [source, target] = [join(from, name), join(to, name)];
    if (statSync(source).isDirectory()) {
      mkdirSync(target, { recursive: true });
      copyTree(source, target);
    } else {
      copyFileSync(source, target);
      chmodSync(target, 0o644);
    }
  }
}

/** `userland.spdx.json`: every package with version and licence, every file. */
function writeBom(tree: string, file: string, release: Release): void {
  const elements = new DebianElements();
  const debian = readDebianPackages(tree);
  const packages = debian.names().map((name) => elements.make(debian, name));
  const subject_id = "SPDXRef-aiOS-userland";
  const version = readFileSync(join(tree, "etc/debian_version"), "utf8").trim();
  writeDocument(
    file,
    { ...release, version, built_s: time_s },
    {
      subject: {
        ...basics(subject_id, "aiOS userland", version),
        licenseDeclared: "NOASSERTION",
        ...purl(`pkg:generic/aios-userland@${version}`),
      },
      packages,
      files: walk(tree)
        .filter(({ kind }) => kind.isFile())
        .map(({ path, host_path }) => fileElement(path, host_path)),
      relationships: packages.map((one) => related(subject_id, "CONTAINS", one.SPDXID)),
      licence_texts: elements.licence_texts,
    },
  );
}
