/** What is in the built root, and above all what is not. */

import { beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Catalogue } from "../contracts/model/catalogue.ts";
import { profiles } from "../models/places.ts";
import { readYaml } from "../wire/strict-yaml.ts";
import { isElf, readElf } from "./elf.ts";
import { executablePaths, readKeep } from "./keep.ts";
import { build, kernel } from "./places.ts";
import { neutralised_variables, refuseToBeBun } from "./programs.ts";
import { library_folders } from "./root.ts";
import { spdxFaults } from "./sbom/check.ts";
import { checksums, idOf } from "./sbom/document.ts";
import { bundledPlaces } from "./sbom/npm-packages.ts";
import { readReviews } from "./sbom/reviewed.ts";
import { sbom_path } from "./sbom/root.ts";
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
  for (const entry of elf_files) {
    const elf = readElf(readFileSync(entry.host_path), entry.path);
    const folders = elf.search === null ? library_folders : [dirname(entry.path), ...library_folders];
    for (const name of elf.needed)
      expect([entry.path, name, folders.some((folder) => present.has(`${folder}/${name}`))]).toEqual([entry.path, name, true]);
  }
});

test("nobody has a password or a shell", () => {
  for (const line of readFileSync(join(root, "etc/passwd"), "utf8").trim().split("\n")) {
    const [name, password, , , , , shell] = line.split(":");
    expect([name, password, shell]).toEqual([name, "x", "/nonexistent"]);
  }
  expect(existsSync(join(root, "etc/shadow"))).toBe(false);
});

const Sbom = z.object({
  packages: z.array(
    z.object({
      SPDXID: z.string(),
      name: z.string(),
      versionInfo: z.string(),
      licenseDeclared: z.string(),
      licenseComments: z.string().optional(),
    }),
  ),
  files: z.array(
    z.object({
      SPDXID: z.string(),
      fileName: z.string(),
      checksums: z.array(z.object({ algorithm: z.string(), checksumValue: z.string() })),
    }),
  ),
  relationships: z.array(z.object({ spdxElementId: z.string(), relationshipType: z.string(), relatedSpdxElement: z.string() })),
});

function sbomOf(file: string): z.infer<typeof Sbom> {
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  expect(spdxFaults(document)).toEqual([]);
  return Sbom.parse(document);
}

test("the bill of materials is SPDX 2.3 and has every file, and the package of every ELF file", () => {
  const sbom = sbomOf(join(root, sbom_path));
  const listed = new Map(sbom.files.map((file) => [file.fileName.slice(1), file]));
  const files = entries.filter((entry) => entry.kind.isFile() && entry.path !== sbom_path);
  expect([...listed.keys()].sort()).toEqual(files.map((entry) => entry.path).sort());
  for (const entry of files) expect(listed.get(entry.path)?.checksums).toEqual(checksums(entry.host_path));
  const ours = new Set(keep.built.map((entry) => entry.to));
  for (const { path } of elf_files.filter((entry) => !ours.has(entry.path))) {
    const from = sbom.relationships.filter(
      (each) => each.relationshipType === "EXPANDED_FROM_ARCHIVE" && each.spdxElementId === listed.get(path)?.SPDXID,
    );
    expect([path, from.length]).toEqual([path, 1]);
    expect(sbom.packages.some((one) => one.SPDXID === from[0]?.relatedSpdxElement)).toBe(true);
  }
});

test("the models are those of a profile, as the catalogue has them, each with its licence, and all of them may be handed on", () => {
  const sbom = sbomOf(join(root, sbom_path));
  const folder = join(root, "usr/lib/aios/models");
  const there = readdirSync(folder)
    .filter((name) => name.endsWith(".gguf"))
    .sort();
  const profile = Object.values(profiles).find(
    ({ models }) => JSON.stringify(models.map(({ name }) => `${name}.gguf`).sort()) === JSON.stringify(there),
  );
  expect(there).toEqual((profile?.models ?? []).map(({ name }) => `${name}.gguf`).sort());
  const read = readYaml(readFileSync(join(folder, "catalogue.yaml"), "utf8"), Catalogue);
  if ("problems" in read) throw new Error(read.problems.join("; "));
  for (const model of profile?.models ?? []) {
    const catalogued = read.value.models.find(({ name }) => name === model.name);
    expect(sbom.packages.find(({ SPDXID }) => SPDXID === idOf("model", model.name))?.licenseDeclared).toBe(catalogued?.licence ?? "none");
    const listed = sbom.files.find(({ fileName }) => fileName === `./usr/lib/aios/models/${model.name}.gguf`);
    expect(listed?.checksums.find(({ algorithm }) => algorithm === "SHA256")?.checksumValue).toBe(catalogued?.sha256 ?? "none");
    expect(existsSync(join(root, "usr/share/common-licenses", model.licence))).toBe(true);
  }
});

test("it has the runtime, the C library of the static programs, the kernel, and every npm package that was bundled", () => {
  const sbom = sbomOf(join(root, sbom_path));
  const inside = sbom.relationships.filter(({ spdxElementId }) => spdxElementId === idOf("file", "/usr/bin/aios"));
  const bundled = [...bundledPlaces(join(build, "bin/aios.meta.json")).map((place) => idOf("npm", place)), "SPDXRef-bun"];
  expect(inside.map(({ relatedSpdxElement }) => relatedSpdxElement).sort()).toEqual(bundled.sort());
  expect(bundled.every((id) => sbom.packages.some(({ SPDXID }) => SPDXID === id))).toBe(true);
  expect(bundled).toContain(idOf("npm", "zod"));
  const linked = sbom.relationships.filter((each) => each.relatedSpdxElement === "SPDXRef-musl").map((each) => each.spdxElementId);
  const ours = keep.built.filter((entry) => entry.executable && entry.to !== "/usr/bin/aios");
  expect(linked.sort()).toEqual(ours.map((entry) => idOf("file", entry.to)).sort());
  const has = (name: string): boolean => sbom.packages.some((one) => one.name === name);
  expect([has("musl"), has("linux"), has("systemd-boot-efi")]).toEqual([true, existsSync(kernel), existsSync(kernel)]);
});

test("a licence is asserted for every package whose licence nobody had to read again", () => {
  const silent = sbomOf(join(root, sbom_path)).packages.filter((one) => one.licenseDeclared === "NOASSERTION");
  const stale = new Set(readReviews().flatMap(({ packages }) => packages));
  expect(silent.filter(({ name }) => !stale.has(name))).toEqual([]);
  expect(silent.length).toBeLessThan(5);
});

test("every package whose files are here has its licence here", () => {
  for (const one of sbomOf(join(root, sbom_path)).packages.filter(
    ({ name, SPDXID }) => SPDXID.startsWith("SPDXRef-deb-") && name !== "systemd-boot-efi",
  ))
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
