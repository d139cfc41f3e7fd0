/**
 * What we compile ourselves: the one executable, the client, the three static C programs and the seccomp filter.
 * Everything lands in `build/bin` and `build/seccomp`.
 */

import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { sentence_model_file } from "../models/places.ts";
import { cached, keyOf } from "../tooling/cache.ts";
import { step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { packageVersion } from "./package-version.ts";
import { build, checkout, image, node_modules } from "./places.ts";
import { type Release, release } from "./release.ts";
import { writeClientSbom } from "./sbom/client.ts";

const bun = join(node_modules, ".bin/bun");
/** The runtime for any x86-64 processor: what runs here depends on this machine's. */
const runtime_package = "@oven/bun-linux-x64-baseline";
const target_runtime = join(node_modules, runtime_package, "bin/bun");

/** Native packages: shipped as files in /usr/lib/aios/node_modules, for they cannot be bundled. */
const externals = ["ffi-rs", "better-sqlite3", "@cedar-policy/cedar-wasm"];

/** Static C programs, `init/<name>.c`, linked with musl. */
export const static_programs = ["stage0", "launch", "first-answer", "look-inside"] as const;

/** Where the bundler sees the checkout. */
const seen_at = "/mnt/aios";

/** Folders of the checkout that are no part of the executable. */
const not_compiled = new Set(["node_modules", "build", "image", "kernel-config", "knowledge", "models", "test-vm", "docs"]);

/**
 * Environment variables that would turn a compiled executable into something else: a general interpreter, a process
 * with other options, or one that takes code from a debugger.
 */
export const neutralised_variables = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT"] as const;

/** `build/<to>` by way of the cache: built in `folder`, copied out when the content differs. */
async function product(kind: string, key: string, file: string, to: string, make: (folder: string) => Promise<void>): Promise<string> {
  const entry = await cached(kind, key, make);
  const path = join(build, to);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(join(entry, file), `${path}.new`);
  renameSync(`${path}.new`, path);
  return path;
}

/**
 * Bun's runtime with the first byte of those names set to 0, so that no environment can contain them. Done to the
 * runtime before compiling, so that our own code is never touched. The first byte only: linkers let short strings
 * live in the tail of longer ones. JavaScript source inside the runtime (`process.env.NAME`) and messages are left.
 */
function neutralise(runtime: Uint8Array): { readonly bytes: Buffer; readonly places: number } {
  const bytes = Buffer.from(runtime);
  let places = 0;
  for (const name of neutralised_variables) {
    let found = 0;
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) {
      const before = bytes[at - 1] ?? 0;
      if (before === 0x2e || before === 0x20 || before === 0x6d) continue; // ".", " ", and "m" of a colour code
      bytes[at] = 0;
      found++;
    }
    if (found === 0)
      throw new Error(`neutralising "${name}" in Bun's runtime failed: the name is not in it; check how this version of Bun reads it`);
    places += found;
  }
  return { bytes, places };
}

async function neutralRuntime(): Promise<string> {
  if (!existsSync(target_runtime)) throw new Error(`looking for Bun's runtime "${target_runtime}" failed: run "npm ci" first`);
  const runtime_version = packageVersion(dirname(dirname(target_runtime)));
  const builder_version = packageVersion(join(node_modules, "bun"));
  if (runtime_version !== builder_version)
    throw new Error(
      `compiling failed: Bun is "${builder_version}" and its runtime for the image "${runtime_version}"; pin the same version of both`,
    );
  const key = keyOf({ values: [runtime_version, ...neutralised_variables, neutralise.toString()] });
  const entry = await cached("runtime", key, async (folder) => {
    writeFileSync(join(folder, "bun"), neutralise(readFileSync(target_runtime)).bytes, { mode: 0o755 });
  });
  return join(entry, "bun");
}

/** Everything in the checkout that can be in the executable. */
function sourceInputs(): string[] {
  return readdirSync(checkout)
    .filter((name) => !name.startsWith(".") && !not_compiled.has(name))
    .map((name) => join(checkout, name))
    .sort();
}

/**
 * `bun build`, with the checkout seen at one fixed place: the bundler writes `__dirname` of CommonJS packages, which is
 * where they happen to lie, into what it makes.
 * @param folder what may be written to
 */
async function bundle(options: readonly string[], entry_point: string, folder: string): Promise<void> {
  const inside = relative(checkout, entry_point);
  const entry = inside.startsWith("..") ? entry_point : join(seen_at, inside);
  const view = ["--dev-bind", "/", "/", "--tmpfs", dirname(seen_at), "--ro-bind", checkout, seen_at, "--bind", folder, folder];
  const argv = [bun, "build", ...options, entry];
  await run(["bwrap", ...view, "--chdir", seen_at, "--die-with-parent", "--", ...argv]);
}

/**
 * `build/bin/aios`, and `build/bin/aios.meta.json` which says what went into it. Split: a process decodes and keeps what its
 * role imports (main.ts), not what all of them do.
 */
export async function compileAios(entry_point = join(checkout, "main.ts")): Promise<void> {
  if (!existsSync(entry_point)) throw new Error(`compiling "${entry_point}" failed: there is no such file`);
  const runtime = await neutralRuntime();
  const options = [
    ...["--compile", "--target=bun-linux-x64-baseline", `--compile-executable-path=${runtime}`],
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...["--minify-syntax", "--minify-whitespace", "--bytecode", "--splitting", "--format=esm"],
    ...externals.map((name) => `--external=${name}`),
  ];
  const key = keyOf({ files: [...sourceInputs(), entry_point], values: [...options, seen_at] });
  const make = (folder: string): Promise<void> =>
    step("aios: compiling", async () => {
      const metafile = join(folder, "aios.meta.json");
      await bundle([...options, `--metafile=${metafile}`, "--outfile", join(folder, "aios")], entry_point, folder);
      await refuseToBeBun(join(folder, "aios"));
    });
  await product("aios", key, "aios", "bin/aios", make);
  await product("aios", key, "aios.meta.json", "bin/aios.meta.json", make);
}

/** A compiled executable must not act as Bun, whatever its environment and arguments say. */
export async function refuseToBeBun(executable: string): Promise<void> {
  const marker = "acts-as-bun";
  const attempts: readonly [string, Record<string, string>][] = [
    ["BUN_BE_BUN=1", { BUN_BE_BUN: "1" }],
    ["an empty name", { "": "1" }],
    ["no variable", {}],
    ["BUN_OPTIONS=-e", { BUN_OPTIONS: `-e console.log("${marker}")` }],
  ];
  for (const [what, env] of attempts) {
    const child = Bun.spawn([executable, "-e", `console.log("${marker}")`], {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 10_000,
    });
    const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
    await child.exited;
    if (output.split("\n").includes(marker))
      throw new Error(`checking "${executable}" failed: with ${what} it ran the code in its arguments, as Bun does`);
  }
}

/** `build/bin/aiosctl`: for the operator's own machine, so with the ordinary runtime. */
export async function compileClient(): Promise<string> {
  const entry_point = join(checkout, "console/aiosctl/main.tsx");
  if (!existsSync(entry_point)) throw new Error(`compiling "${entry_point}" failed: there is no such file`);
  const out = join(build, "bin/aiosctl");
  mkdirSync(dirname(out), { recursive: true });
  const metafile = `${out}.meta.json`;
  await step("aiosctl: compiling", () =>
    bundle(
      [
        ...["--compile", "--target=bun-linux-x64-baseline", `--compile-executable-path=${target_runtime}`],
        ...["--minify", "--bytecode", "--format=esm", `--metafile=${metafile}`, "--outfile", out],
      ],
      entry_point,
      dirname(out),
    ),
  );
  writeClientSbom({ executable: out, metafile, release: await release(), runtime_package, file: `${out}.spdx.json` });
  return out;
}

/** static, from musl, so that they are small and start before anything else is there. */
export async function compileStatic(): Promise<void> {
  const flags = ["-static", "-Os", "-std=c17", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none", "-s"];
  for (const name of static_programs) {
    const source = join(checkout, "init", `${name}.c`);
    const key = keyOf({ files: [source], values: [...flags, await hostVersion("musl-gcc")] });
    await product("static", key, name, `bin/${name}`, (folder) =>
      step(`${name}: compiling`, () => run(["musl-gcc", ...flags, "-o", join(folder, name), source]).then(() => undefined)),
    );
  }
}

/** `build/seccomp/service.bpf`. */
export async function makeFilter(): Promise<void> {
  const source = join(image, "seccomp/make-filter.c");
  const list = join(image, "seccomp/service.syscalls");
  const key = keyOf({ files: [source, list], values: [(await run(["pkg-config", "--modversion", "libseccomp"])).trim()] });
  await product("seccomp", key, "service.bpf", "seccomp/service.bpf", async (folder) => {
    const maker = join(folder, "make-filter");
    await run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", maker, source, "-lseccomp"]);
    const child = Bun.spawn([maker], { stdin: Bun.file(list), stdout: Bun.file(join(folder, "service.bpf")), stderr: "pipe" });
    const errors = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`making the seccomp filter failed: ${errors.trim()}`);
  });
  chmodSync(join(build, "seccomp/service.bpf"), 0o644);
}

/** Holds the policies against their examples: `build/policies.checked`. The image does not do so again (tools/policy/load.ts). */
export async function checkPolicies(): Promise<void> {
  const inputs = ["tools/policy", "tools/paths", "contracts", "package-lock.json"].map((name) => join(checkout, name));
  await product("policies", keyOf({ files: inputs }), "policies.checked", "policies.checked", (folder) =>
    step("policies: holding them against their examples", async () => {
      await run([bun, "tools/policy/check.ts", join(folder, "policies.checked")], { cwd: checkout });
    }),
  );
}

/** `build/tools.json`: what the broker tells of all tools without reading them (tools/listing.ts). */
export async function makeListing(): Promise<void> {
  const inputs = ["tools", "contracts", "wire", "sys", "package-lock.json"].map((name) => join(checkout, name));
  await product("listing", keyOf({ files: inputs }), "tools.json", "tools.json", (folder) =>
    step("tools: what is told of them", async () => {
      await run([bun, "tools/make-listing.ts", join(folder, "tools.json")], { cwd: checkout });
    }),
  );
}

/**
 * The knowledge base of the image: `build/knowledge`, the written pages and one for each tool, made from its definition; their
 * vectors; and the memory that a machine begins with, which has all of it.
 */
export async function makeKnowledge({ built_s }: Release): Promise<void> {
  const inputs = ["knowledge", "tools", "contracts", "wire", "sys", "package-lock.json"].map((name) => join(checkout, name));
  const entry = await cached("knowledge", keyOf({ files: inputs }), (folder) =>
    step("knowledge: pages of the tools", async () => {
      const written = join(checkout, "knowledge");
      for (const page of new Bun.Glob("*/*.md").scanSync({ cwd: written })) {
        mkdirSync(dirname(join(folder, page)), { recursive: true });
        copyFileSync(join(written, page), join(folder, page));
      }
      await run([bun, "tools/pages.ts", join(folder, "tools"), written], { cwd: checkout });
    }),
  );
  const vectors = await vectorsOf(entry);
  const path = join(build, "knowledge");
  rmSync(`${path}.new`, { recursive: true, force: true });
  cpSync(entry, `${path}.new`, { recursive: true });
  await step("knowledge: the memory of a first start", async () => {
    await run([bun, "memory/knowledge/make-first.ts", `${path}.new`, vectors, String(built_s)], { cwd: checkout });
  });
  rmSync(path, { recursive: true, force: true });
  renameSync(`${path}.new`, path);
}

/** Of the documents: so that a machine does not have to make them when it boots first. @returns a memory that has them */
async function vectorsOf(documents: string): Promise<string> {
  const sources = ["memory/knowledge", "memory/embed", "memory/store/migrations", "wire/llama.ts", "package-lock.json"];
  const files = [documents, sentence_model_file, ...sources.map((name) => join(checkout, name))];
  const entry = await cached("knowledge-vectors", keyOf({ files }), (folder) =>
    step("knowledge: vectors of the sections", async () => {
      await run([bun, "memory/knowledge/make-vectors.ts", documents, sentence_model_file, join(folder, "memory.db")], { cwd: checkout });
    }),
  );
  return join(entry, "memory.db");
}

async function hostVersion(program: string): Promise<string> {
  return (await run([program, "-dumpversion"])).trim();
}
