/** Debian packages and signed repositories made on the spot, for tests: dpkg-deb and gpg of the build machine. */

import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { PackagesConfig } from "../../../../contracts/config.ts";
import type { Places } from "../../../context.ts";

function run(argv: readonly string[], options: { readonly env?: Record<string, string>; readonly stdin?: string } = {}): string {
  const child = Bun.spawnSync([...argv], {
    env: { ...process.env, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
    stderr: "pipe",
  });
  if (!child.success) throw new Error(`running ${argv.join(" ")} failed: ${child.stderr.toString().slice(-1000)}`);
  return child.stdout.toString();
}

export interface TestKey {
  /** The public half, in ASCII armour. */
  readonly armoured: string;
  /** The text, signed (RFC 9580, clear text signature). */
  sign(text: string): string;
}

/** A key that nobody else has; it goes when the process ends. */
export function makeKey(name: string): TestKey {
  const home = mkdtempSync(join(tmpdir(), "test-key-"));
  chmodSync(home, 0o700);
  const env = { GNUPGHOME: home };
  const gpg = ["gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""];
  process.on("exit", () => {
    Bun.spawnSync(["gpgconf", "--kill", "all"], { env: { ...process.env, ...env } });
    rmSync(home, { recursive: true, force: true });
  });
  run([...gpg, "--quick-generate-key", `${name} <${name}@example.invalid>`, "ed25519", "sign", "never"], { env });
  return {
    armoured: run([...gpg, "--armor", "--export"], { env }),
    sign: (text) => run([...gpg, "--clear-sign"], { env, stdin: text }),
  };
}

export interface TestPackage {
  readonly name: string;
  readonly version: string;
  readonly depends?: string;
  /** Path → content; those below bin are executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** `postinst`, … → a shell script without its first line. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** @returns the path of the .deb */
export function makeDeb(folder: string, { name, version, depends, files = {}, scripts = {} }: TestPackage): string {
  const tree = mkdtempSync(join(tmpdir(), "test-deb-"));
  try {
    mkdirSync(join(tree, "DEBIAN"));
    chmodSync(tree, 0o755);
    const control = [`Package: ${name}`, `Version: ${version}`, "Architecture: all", "Maintainer: Nobody <nobody@example.invalid>"];
    if (depends !== undefined) control.push(`Depends: ${depends}`);
    control.push("Section: misc", "Priority: optional", `Description: says hello in version ${version}`, " A package of a test.");
    writeFileSync(join(tree, "DEBIAN/control"), `${control.join("\n")}\n`);
    for (const [script, text] of Object.entries(scripts))
      writeFileSync(join(tree, "DEBIAN", script), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), content, { mode: path.includes("/bin/") ? 0o755 : 0o644 });
    }
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}_${version}_all.deb`);
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, file]);
    return file;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

interface RepositoryOptions {
  /** Null: its Release file is not signed. */
  readonly key: TestKey | null;
  /** When its Release file is no good any more. */
  readonly valid_until?: Date;
}

/** Suite `stable`, component `main`, amd64 and all. What was there before is replaced; the packages stay. */
export function writeRepository(folder: string, debs: readonly string[], { key, valid_until }: RepositoryOptions): void {
  const dists = join(folder, "dists/stable");
  rmSync(dists, { recursive: true, force: true });
  mkdirSync(join(dists, "main/binary-amd64"), { recursive: true });
  mkdirSync(join(folder, "pool"), { recursive: true });
  const entries = debs.map((deb) => {
    const inside = `pool/${basename(deb)}`;
    if (!existsSync(join(folder, inside))) copyFileSync(deb, join(folder, inside));
    const bytes = readFileSync(deb);
    const control = run(["dpkg-deb", "--field", deb]).trimEnd();
    return `${control}\nFilename: ${inside}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`;
  });
  const packages = Buffer.from(entries.join("\n"));
  writeFileSync(join(dists, "main/binary-amd64/Packages"), packages);
  const lines = [
    "Origin: Test",
    "Label: Test",
    "Suite: stable",
    "Codename: stable",
    `Date: ${new Date(Date.now() - 86_400_000).toUTCString()}`,
  ];
  if (valid_until !== undefined) lines.push(`Valid-Until: ${valid_until.toUTCString()}`);
  lines.push(
    "Architectures: amd64 all",
    "Components: main",
    "SHA256:",
    ` ${sha256(packages)} ${packages.length} main/binary-amd64/Packages`,
  );
  const release = `${lines.join("\n")}\n`;
  if (key === null) writeFileSync(join(dists, "Release"), release);
  else writeFileSync(join(dists, "InRelease"), key.sign(release));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The base, without copying it into every world. */
export function lendBase({ data, userland }: Pick<Places, "data" | "userland">): void {
  const { sha256: hash } = JSON.parse(readFileSync(userland.pin, "utf8")) as { sha256: string };
  const folder = join(data, "userland/base");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = join(folder, `${hash}.erofs`);
  if (existsSync(at)) return;
  try {
    linkSync(userland.file, at);
  } catch {
    copyFileSync(userland.file, at); // another file system
  }
}

/** What PID 1 of the world answers for `packages` of the machine config. */
export function configure({ data }: Pick<Places, "data">, config: Partial<PackagesConfig>): void {
  writeFileSync(join(data, "..", "packages.json"), JSON.stringify({ sources: [], generations_max: 48, ...config }));
}

export function repositoryConfig(folder: string, key: TestKey): PackagesConfig["sources"] {
  return [{ uri: `file:${folder}`, suite: "stable", components: ["main"], signed_by: key.armoured }];
}

/** What would be left: mounts and half made generations. */
export function leftovers({ data, run }: Pick<Places, "data" | "run">): string[] {
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(` ${run}/broker/userland/`));
  return [...names(join(data, "userland/staging")), ...mounted];
}
