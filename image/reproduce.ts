/**
 * Builds everything twice from nothing and compares it bit by bit: `bun image/reproduce.ts [--kernel]`.
 *
 * Each round has a clone of its own in a folder of another name, an empty cache, another time zone and umask, and
 * minutes between it and the other. The kernel takes long and comes from the cache unless `--kernel` is given.
 * What differs is named; the folders are then kept, for diffoscope and the like.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheRoot } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { build, checkout } from "./places.ts";
import { static_programs } from "./programs.ts";
import { walk } from "./walk.ts";

/** Relative to build/. The root directory is compared file by file besides. */
const products: readonly string[] = [
  "kernel/x86_64/vmlinuz",
  "bin/aios",
  ...static_programs.map((name) => `bin/${name}`),
  "seccomp/service.bpf",
  "bin/aiosctl",
  "bin/aiosctl.spdx.json",
  "sbom.spdx.json",
  "userland.erofs",
  "userland.spdx.json",
  "root.erofs",
  "aios.efi",
  "disk.raw",
];

interface Round {
  readonly folder: string;
  readonly zone: string;
  readonly umask: string;
}

const { values } = parseArgs({ options: { kernel: { type: "boolean", default: false } } });

function cacheOf(round: Round): string {
  return join(round.folder, "cache");
}

function sourceOf(round: Round): string {
  return join(round.folder, "source");
}

async function prepare(round: Round): Promise<void> {
  mkdirSync(join(cacheOf(round), "aios"), { recursive: true });
  await run(["git", "clone", "--quiet", checkout, sourceOf(round)]);
  if (!values.kernel)
    for (const kind of ["kernel", "kernel-source"])
      if (existsSync(join(cacheRoot(), kind))) symlinkSync(join(cacheRoot(), kind), join(cacheOf(round), "aios", kind));
}

async function make(round: Round): Promise<void> {
  const env = { XDG_CACHE_HOME: cacheOf(round), TZ: round.zone };
  const log = join(round.folder, "build.log");
  const bun = "node_modules/.bin/bun";
  for (const words of [
    ["tooling/bootstrap.sh"],
    [bun, "kernel-config/build.ts"],
    [bun, "image/build.ts", "all"],
    [bun, "image/build.ts", "client"],
  ]) {
    const argv = ["sh", "-c", `umask ${round.umask}; exec "$@"`, "sh", ...words];
    await step(`${round.folder}: ${words.join(" ")}`, () => run(argv, { cwd: sourceOf(round), env, log }));
  }
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** What a root is made of, a line for each entry: kind and mode, owner, time, content or target. */
function rootLines(root: string): Map<string, string> {
  return new Map(
    walk(root).map(({ path, host_path, kind }) => {
      const content = kind.isFile() ? hashOf(host_path) : kind.isSymbolicLink() ? readlinkSync(host_path) : "";
      return [path, `${kind.mode.toString(8)} ${kind.uid}:${kind.gid} ${kind.mtimeMs / 1000} ${content}`];
    }),
  );
}

/** @returns what differs, a line each */
function compare(a: string, b: string): string[] {
  const differing = products.flatMap((name) => {
    const [one, other] = [a, b].map((folder) => hashOf(join(folder, name)));
    if (one === other) say(`same       ${name.padEnd(24)} ${one}`);
    return one === other ? [] : [`${name} (first at byte ${firstDifference(join(a, name), join(b, name))})`];
  });
  const [lines, other_lines] = [rootLines(join(a, "root")), rootLines(join(b, "root"))];
  for (const path of new Set([...lines.keys(), ...other_lines.keys()]))
    if (lines.get(path) !== other_lines.get(path))
      differing.push(`root${path}: "${lines.get(path) ?? "not there"}", "${other_lines.get(path) ?? "not there"}"`);
  if (differing.length === 0) say(`same       root/, ${lines.size} entries`);
  return differing;
}

function firstDifference(a: string, b: string): number {
  const [one, other] = [readFileSync(a), readFileSync(b)];
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) if (one[at] !== other[at]) return at;
  return shorter;
}

async function main(): Promise<number> {
  const changed = (await run(["git", "status", "--porcelain"], { cwd: checkout })).trim();
  if (changed !== "") say(`what is compared is the last commit; these changes are not in it:\n${changed}`);
  const home = join(build, "tmp");
  mkdirSync(home, { recursive: true });
  const rounds: readonly [Round, Round] = [
    { folder: mkdtempSync(join(home, "reproduce-a-")), zone: "UTC", umask: "022" },
    { folder: mkdtempSync(join(home, "reproduce-other-")), zone: "Asia/Kathmandu", umask: "077" },
  ];
  for (const round of rounds) await prepare(round); // both before any is built: a commit made meanwhile is in neither
  for (const round of rounds) await make(round);
  const differing = compare(join(sourceOf(rounds[0]), "build"), join(sourceOf(rounds[1]), "build"));
  for (const line of differing) say(`DIFFERENT  ${line}`);
  if (differing.length === 0) for (const { folder } of rounds) rmSync(folder, { recursive: true, force: true });
  else say(`both builds are kept in ${rounds.map(({ folder }) => folder).join(" and ")}`);
  return differing.length === 0 ? 0 : 1;
}

process.exit(await main());
