/** What is in the built root, and above all what is not. */

import { beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isElf, readElf } from "./elf.ts";
import { executablePaths, readKeep } from "./keep.ts";
import { build } from "./places.ts";
import { neutralised_variables, refuseToBeBun } from "./programs.ts";
import { library_folders } from "./root.ts";
import { checksums, Sbom } from "./sbom.ts";
import { type Entry, walk } from "./walk.ts";

const root = join(build, "root");
const keep = readKeep();
let entries: Entry[] = [];
let elf_files: Entry[] = [];

beforeAll(() => {
  if (!existsSync(root)) throw new Error(`looking for "${root}" failed: it has not been built; run "bun image/build.ts root" first`);
  entries = walk(root);
  elf_files = entries.filter((entry) => entry.kind.isFile() && isElf(readFileSync(entry.host_path)));
});

test("only what the allow-list names can be executed", () => {
  const executable = entries.filter((entry) => entry.kind.isFile() && (entry.kind.mode & 0o111) !== 0).map((entry) => entry.path);
  expect(executable.sort()).toEqual(executablePaths(keep));
});

test("every ELF program is on the list; the other ELF files are libraries, without the mode to run", () => {
  const listed = new Set(executablePaths(keep));
  const programs = elf_files
    .filter((entry) => readElf(readFileSync(entry.host_path), entry.path).interpreter !== null)
    .map((entry) => entry.path);
  // two libraries that answer with their version when run; here they lack the mode for it
  expect(programs.filter((path) => !listed.has(path))).toEqual([
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    expect.stringMatching(/\/libcap\.so\.2\.\d+$/),
  ]);
});

test("there is no script, and no shell or interpreter under any name", () => {
  const files = entries.filter((entry) => entry.kind.isFile());
  const scripts = files.filter((entry) => readFileSync(entry.host_path).subarray(0, 2).toString() === "#!").map((entry) => entry.path);
  expect(scripts).toEqual([]);
  const interpreters = /^(sh|ba|da|z|k|c|tc|fi)?sh$|^(busybox|toybox|perl|python|lua|awk|mawk|gawk|tclsh|node|bun|deno|ruby|php)[\d.]*$/;
  expect(
    entries.map((entry) => entry.path).filter((path) => interpreters.test(path.split("/").at(-1) ?? "") && path.includes("bin/")),
  ).toEqual([]);
});

test("nothing has a setuid bit, a setgid bit, a capability, another owner, or is a device", () => {
  for (const entry of entries) {
    expect([entry.path, entry.kind.mode & 0o6000]).toEqual([entry.path, 0]);
    expect([entry.path, entry.kind.uid, entry.kind.gid]).toEqual([entry.path, 0, 0]);
    expect(entry.kind.isFile() || entry.kind.isDirectory() || entry.kind.isSymbolicLink()).toBe(true);
    if (entry.path !== "/tmp" && !entry.kind.isSymbolicLink()) expect([entry.path, entry.kind.mode & 0o022]).toEqual([entry.path, 0]);
  }
  const capabilities = Bun.spawnSync(["getcap", "-r", root]);
  expect([capabilities.exitCode, capabilities.stdout.toString()]).toEqual([0, ""]);
});

test("every library that is needed is in the root", () => {
  const present = new Set(entries.map((entry) => entry.path));
  for (const entry of elf_files)
    for (const name of readElf(readFileSync(entry.host_path), entry.path).needed)
      expect([entry.path, name, library_folders.some((folder) => present.has(`${folder}/${name}`))]).toEqual([entry.path, name, true]);
});

test("nobody has a password or a shell", () => {
  for (const line of readFileSync(join(root, "etc/passwd"), "utf8").trim().split("\n")) {
    const [name, password, , , , , shell] = line.split(":");
    expect([name, password, shell]).toEqual([name, "x", "/nonexistent"]);
  }
  expect(existsSync(join(root, "etc/shadow"))).toBe(false);
});

test("the bill of materials is SPDX 2.3 and has every ELF file with its package", () => {
  const sbom = Sbom.parse(JSON.parse(readFileSync(join(root, "usr/lib/aios/sbom.spdx.json"), "utf8")));
  const listed = new Map(sbom.files.map((file) => [file.fileName.slice(1), file]));
  expect([...listed.keys()].sort()).toEqual(elf_files.map((entry) => entry.path).sort());
  const identifiers = [...sbom.packages, ...sbom.files].map((element) => element.SPDXID);
  expect(new Set(identifiers).size).toBe(identifiers.length);
  for (const entry of elf_files) {
    const file = listed.get(entry.path);
    expect(file?.checksums).toEqual(checksums(entry.host_path));
    const holders = sbom.relationships.filter((relation) => relation.relatedSpdxElement === file?.SPDXID);
    expect([entry.path, holders.length]).toEqual([entry.path, 1]);
    expect(sbom.packages.some((one) => one.SPDXID === holders[0]?.spdxElementId)).toBe(true);
  }
});

test("every package whose files are here has its licence here", () => {
  const sbom = Sbom.parse(JSON.parse(readFileSync(join(root, "usr/lib/aios/sbom.spdx.json"), "utf8")));
  for (const one of sbom.packages.filter((entry) => entry.SPDXID.startsWith("SPDXRef-deb-")))
    expect([one.name, existsSync(join(root, "usr/share/doc", one.name, "copyright"))]).toEqual([one.name, true]);
});

test("the executable cannot be turned into Bun", async () => {
  const executable = join(root, "usr/bin/aios");
  await refuseToBeBun(executable);
  // as C strings, the form in which the runtime asks the environment for them
  const bytes = readFileSync(executable);
  for (const name of neutralised_variables) expect([name, bytes.indexOf(`\0${name}\0`)]).toEqual([name, -1]);
});

test("an unchanged Bun would act as one: the check above can fail", async () => {
  const bun = join(build, "../node_modules/@oven/bun-linux-x64-baseline/bin/bun");
  expect(refuseToBeBun(bun)).rejects.toThrow("it ran the code in its arguments");
});
