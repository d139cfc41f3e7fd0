/**
 * `build/root`: the root directory, by allow-list. Used as it is in container mode, and packed into `root.erofs`.
 *
 * Nothing gets in by being installed: what `root/keep.yaml` names is copied, with the shared libraries that it needs,
 * and the licence of every package of which a file was copied. All of it belongs to root, and nothing has a setuid bit.
 */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type ImageProfile, profiles } from "../models/places.ts";
import { keyOf } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { type DebianPackages, readDebianPackages } from "./debian-packages.ts";
import { isElf, readElf, searchesBeside } from "./elf.ts";
import { type Keep, readKeep } from "./keep.ts";
import { readKernel } from "./kernel.ts";
import type { Base } from "./mkosi.ts";
import { build, checkout, image, node_modules } from "./places.ts";
import { static_programs } from "./programs.ts";
import type { Release } from "./release.ts";
import { sbom_path, writeSbom } from "./sbom/root.ts";
import type { Userland } from "./userland.ts";

/** Where the loader looks by itself; the root has no ld.so.cache. */
export const library_folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib"] as const;
const packages_folder = "/usr/lib/aios/node_modules";

export async function makeRoot(base: Base, release: Release, userland: Userland, profile: ImageProfile): Promise<string> {
  const root = join(build, "root");
  const stamp = join(build, "root.key");
  const keep = readKeep();
  const key = rootKey(base, release, keep, userland);
  if (existsSync(root) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) {
    say(`root: unchanged (${key})`);
    return root;
  }
  await step("root: copying what the allow-list names", async () => {
    const fresh = `${root}.new`;
    rmSync(fresh, { recursive: true, force: true });
    const assembly = new Assembly(fresh, base, keep);
    assembly.copyAll(release, userland, profile);
    writeSbom({
      root: fresh,
      release,
      models: profiles[profile].models,
      debian: assembly.debian,
      debian_kept: assembly.packages,
      npm_shipped: keep.packages.map((entry) => entry.name),
      with_musl: keep.built.filter((entry) => static_programs.some((name) => entry.from === `bin/${name}`)).map((entry) => entry.to),
      metafile: join(build, "bin/aios.meta.json"),
      tools: base.tools,
    });
    finish(fresh, keep, release.built_s);
    rmSync(stamp, { force: true });
    rmSync(`${root}.old`, { recursive: true, force: true });
    if (existsSync(root)) renameSync(root, `${root}.old`);
    renameSync(fresh, root);
    rmSync(`${root}.old`, { recursive: true, force: true });
    copyFileSync(join(root, sbom_path), join(build, "sbom.spdx.json"));
    writeFileSync(stamp, key);
  });
  return root;
}

function rootKey(base: Base, release: Release, keep: Keep, userland: Userland): string {
  const sources = ["root.ts", "sbom", "elf.ts", "debian-packages.ts", "keep.ts", "root"].map((name) => join(image, name));
  sources.push(join(checkout, "package-lock.json"));
  const built = keep.built.map((entry) => join(build, entry.from));
  const packages = keep.packages.flatMap((entry) =>
    entry.files.map((file) => join(node_modules, entry.name, file)).filter((path) => existsSync(path)),
  );
  for (const path of built)
    if (!existsSync(path)) throw new Error(`making the root failed: "${path}" has not been built; run "bun image/build.ts root"`);
  return keyOf({ files: [...sources, ...built, ...packages], values: [base.key, userland.pin, JSON.stringify([release, readKernel()])] });
}

class Assembly {
  readonly debian: DebianPackages;
  /** Debian packages of which at least one file was copied. */
  readonly packages = new Set<string>();
  readonly #root: string;
  readonly #base: Base;
  readonly #keep: Keep;

  constructor(root: string, base: Base, keep: Keep) {
    this.#root = root;
    this.#base = base;
    this.#keep = keep;
    this.debian = readDebianPackages(base.tree);
  }

  copyAll(release: Release, userland: Userland, profile: ImageProfile): void {
    const keep = this.#keep;
    for (const link of keep.symlinks) this.#link(link.path, link.to);
    for (const directory of keep.directories) mkdirSync(this.#at(directory.path), { recursive: true });
    this.#copyTree(join(image, "root/tree"), "/");
    for (const entry of [...keep.executables, ...keep.loaders]) this.#fromDebian(entry.path);
    for (const entry of keep.files) this.#fromDebian(entry.path, entry.package);
    for (const entry of keep.built) this.#copyBuilt(join(build, entry.from), entry.to);
    for (const entry of keep.packages)
      for (const file of entry.files) this.#fromNpm(join(node_modules, entry.name, file), `${packages_folder}/${entry.name}/${file}`);
    this.#write("/usr/lib/aios/release.json", `${JSON.stringify(release)}\n`);
    this.#write("/usr/lib/aios/userland.json", userland.pin);
    this.#copyLicences(profile);
  }

  #copyBuilt(from: string, to: string): void {
    if (lstatSync(from).isDirectory()) this.#copyTree(from, to);
    else this.#copy(from, to);
  }

  #at(path: string): string {
    return join(this.#root, path);
  }

  #link(path: string, to: string): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    symlinkSync(to, this.#at(path));
  }

  #write(path: string, text: string): void {
    mkdirSync(dirname(this.#at(path)), { recursive: true });
    writeFileSync(this.#at(path), text);
  }

  #copyTree(from: string, to: string): void {
    for (const name of readdirSync(from).sort()) {
      const source = join(from, name);
      if (lstatSync(source).isDirectory()) this.#copyTree(source, join(to, name));
      else this.#copy(source, join(to, name));
    }
  }

  /** Copies one file, then whatever it needs in order to be loaded. */
  #copy(source: string, to: string): void {
    mkdirSync(dirname(this.#at(to)), { recursive: true });
    copyFileSync(source, this.#at(to));
    const bytes = readFileSync(source);
    if (!isElf(bytes)) return;
    const elf = readElf(bytes, source);
    if (elf.search !== null && !searchesBeside(elf.search))
      throw new Error(`copying "${source}" failed: it looks for libraries in "${elf.search}"; only the usual folders are searched`);
    if (elf.interpreter !== null) this.#requireLoader(elf.interpreter, source);
    // what lies beside it comes by being named in the allow-list, too
    const beside = (name: string): boolean => elf.search !== null && existsSync(join(dirname(source), name));
    for (const name of elf.needed.filter((one) => !beside(one))) this.#library(name, source);
  }

  #requireLoader(interpreter: string, wanted_by: string): void {
    const known = this.#keep.loaders.some((loader) => basename(loader.path) === basename(interpreter));
    if (!known)
      throw new Error(`copying "${wanted_by}" failed: its loader "${interpreter}" is not on the allow-list (root/keep.yaml, loaders)`);
  }

  #library(name: string, wanted_by: string): void {
    const folder = library_folders.find((candidate) => existsSync(join(this.#base.tree, candidate, name)));
    if (folder === undefined)
      throw new Error(`copying "${wanted_by}" failed: no library "${name}" in the base tree; add its package to mkosi/base/mkosi.conf`);
    this.#fromDebian(`${folder}/${name}`);
  }

  #fromDebian(path: string, package_name?: string): void {
    const source = join(this.#base.tree, path);
    if (!existsSync(source))
      throw new Error(`copying "${path}" failed: the base tree has no such file; add its package to mkosi/base/mkosi.conf`);
    if (existsSync(this.#at(path))) return;
    const owner = package_name ?? this.debian.ownerOf(path);
    if (owner === undefined) throw new Error(`copying "${path}" failed: no Debian package owns it; name the package in root/keep.yaml`);
    this.packages.add(owner);
    if (lstatSync(source).isSymbolicLink()) {
      const target = readlinkSync(source);
      this.#fromDebian(resolve(dirname(path), target));
      this.#link(path, target);
    } else this.#copy(source, path);
  }

  #fromNpm(source: string, to: string): void {
    if (!existsSync(source)) throw new Error(`copying "${source}" failed: no such file; run "npm ci", then check root/keep.yaml`);
    if (lstatSync(source).isDirectory()) for (const name of readdirSync(source).sort()) this.#fromNpm(join(source, name), join(to, name));
    else this.#copy(source, to);
  }

  /** The copyright file of every package kept, and the common licences that these files refer to. */
  #copyLicences(profile: ImageProfile): void {
    const common = new Set<string>(profiles[profile].models.map(({ licence }) => licence));
    for (const name of [...this.packages].sort()) {
      const text = this.debian.copyright(name);
      this.#write(`/usr/share/doc/${name}/copyright`, text);
      for (const match of text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9.-]*[A-Za-z0-9])/g))
        if (match[1] !== undefined) common.add(match[1]);
    }
    for (const name of [...common].sort()) {
      const source = join(this.#base.tree, "usr/share/common-licenses", name);
      if (existsSync(source)) this.#write(`/usr/share/common-licenses/${name}`, readFileSync(source, "utf8"));
    }
  }
}

/** Owners, modes and time stamps: the same for the same input, on any host. */
function finish(root: string, keep: Keep, time_s: number): void {
  const executable = new Set([...keep.executables, ...keep.loaders].map((entry) => entry.path));
  for (const entry of keep.built) if (entry.executable) executable.add(entry.to);
  const directory_modes = new Map(keep.directories.map((entry) => [entry.path, Number.parseInt(entry.mode, 8)]));
  const visit = (path: string): void => {
    const inside = `/${relative(root, path)}`;
    const kind = lstatSync(path);
    if (kind.isSymbolicLink()) lchownSync(path, 0, 0);
    else {
      chownSync(path, 0, 0);
      if (kind.isDirectory()) {
        for (const name of readdirSync(path)) visit(join(path, name));
        chmodSync(path, directory_modes.get(inside) ?? 0o755);
      } else chmodSync(path, executable.has(inside) ? 0o755 : 0o644);
    }
    lutimesSync(path, time_s, time_s);
  };
  visit(root);
}
