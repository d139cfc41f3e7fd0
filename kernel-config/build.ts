/**
 * Builds the kernel.
 *
 *     bun kernel-config/build.ts [--arch x86_64|arm64] [--config-only]
 *     bun kernel-config/build.ts --pin       take the archive's newest source version into source.json
 *
 * Result: build/kernel/<arch>/{vmlinuz,config}. With --config-only the configuration is resolved and checked, and
 * nothing is compiled. Results are cached by fragments, source version and compiler.
 */

import { constants, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { cached, keyOf } from "../tooling/cache.ts";
import { say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { checkConfig, configPath } from "./check.ts";
import { hintsFrom } from "./hints.ts";
import { parseConfig } from "./kconfig.ts";
import { type Fetched, fetchSource, pinNewest, unpackSource } from "./source.ts";
import { type Architecture, architectures, here, readWishes, wishesText } from "./wanted.ts";

interface Target {
  readonly compiler: string;
  /** Variables for make. */
  readonly variables: readonly string[];
  readonly make: string;
  /** The bootable image that make leaves, itself an EFI executable. */
  readonly image: string;
  /** Objects of the last full build, to say how far a build is. Being wrong only makes the percentage wrong. */
  readonly objects_estimated: number;
}

const targets: Readonly<Record<Architecture, Target>> = {
  x86_64: { compiler: "gcc", variables: ["ARCH=x86_64"], make: "bzImage", image: "arch/x86/boot/bzImage", objects_estimated: 2200 },
  arm64: {
    compiler: "aarch64-linux-gnu-gcc",
    variables: ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"],
    make: "Image",
    image: "arch/arm64/boot/Image",
    objects_estimated: 2200,
  },
};

/** Raised when this file changes what it builds from the same inputs. */
const recipe = "1";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", default: "x86_64" },
      "config-only": { type: "boolean", default: false },
      pin: { type: "boolean", default: false },
    },
  });
  if (values.pin) return pinNewest();
  const architecture = architectures.find((name) => name === values.arch);
  if (architecture === undefined) {
    throw new Error(`building the kernel failed: no architecture "${values.arch}"; choose of ${architectures.join(", ")}`);
  }
  const fetched = await fetchSource();
  const key = await kernelKey(architecture, fetched);
  const folder = values["config-only"] ? await configured(architecture, fetched, key) : await compiled(architecture, fetched, key);
  // Also when it comes from the cache: the check may have become stricter since.
  const symbols = checkConfig(architecture, readFileSync(join(folder, "config"), "utf8"));
  const out = dirname(configPath(architecture));
  mkdirSync(out, { recursive: true });
  for (const name of ["config", "vmlinuz"]) {
    // Copied, not linked: nobody who writes into build/ may change the cache.
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(out, name), constants.COPYFILE_FICLONE);
  }
  writeFileSync(join(out, "source.json"), `${JSON.stringify(fetched.source)}\n`); // for the bill of materials
  say(`kernel ${architecture}: ${fetched.source.version}, all ${symbols} symbols as wanted; ${summary(folder, out)}`);
}

function summary(folder: string, out: string): string {
  const image = join(folder, "vmlinuz");
  return existsSync(image)
    ? `${join(out, "vmlinuz")}, ${(statSync(image).size / 2 ** 20).toFixed(1)} MiB`
    : `${join(out, "config")}, not compiled`;
}

async function kernelKey(architecture: Architecture, fetched: Fetched): Promise<string> {
  const { compiler } = targets[architecture];
  const version = async (program: string): Promise<string> => (await run([program, "--version"])).split("\n")[0] ?? "";
  const tools = await Promise.all([compiler, compiler.replace(/gcc$/, "ld")].map(version));
  // The wishes, not the files: a better comment is no reason to compile for ten minutes.
  return keyOf({ values: [recipe, architecture, JSON.stringify(fetched.source), ...tools, wishesText(readWishes(architecture))] });
}

function configured(architecture: Architecture, fetched: Fetched, key: string): Promise<string> {
  return cached("kernel-config", key, async (entry) => {
    await inSourceTree(fetched, entry, async (tree) => {
      await configure(architecture, tree);
      copyFileSync(join(tree, ".config"), join(entry, "config"));
    });
  });
}

function compiled(architecture: Architecture, fetched: Fetched, key: string): Promise<string> {
  return cached("kernel", key, async (entry) => {
    await inSourceTree(fetched, entry, async (tree) => {
      await configure(architecture, tree);
      await compile(architecture, tree);
      copyFileSync(join(tree, ".config"), join(entry, "config"));
      copyFileSync(join(tree, targets[architecture].image), join(entry, "vmlinuz"));
    });
  });
}

/** Unpacks the source below `entry` for as long as `work` takes. */
async function inSourceTree(fetched: Fetched, entry: string, work: (tree: string) => Promise<void>): Promise<void> {
  const folder = join(entry, "source");
  const tree = await step(`kernel source: unpacking ${fetched.source.version}`, () => unpackSource(fetched, folder));
  await work(tree);
  rmSync(folder, { recursive: true, force: true });
}

/** allnoconfig with the wishes laid over it: what no fragment names is off. */
async function configure(architecture: Architecture, tree: string): Promise<void> {
  const { variables } = targets[architecture];
  await step(`kernel ${architecture}: resolving the configuration`, async () => {
    writeFileSync(join(tree, "wishes.config"), wishesText(readWishes(architecture)));
    const log = logPath(architecture, "config");
    await run(["make", ...variables, "KCONFIG_ALLCONFIG=wishes.config", "allnoconfig"], { cwd: tree, log });
    await run(["make", ...variables, "olddefconfig"], { cwd: tree, log });
    const text = readFileSync(join(tree, ".config"), "utf8");
    checkConfig(architecture, text, hintsFrom(tree, parseConfig(text, ".config")));
  });
}

async function compile(architecture: Architecture, tree: string): Promise<void> {
  const { variables, make, objects_estimated } = targets[architecture];
  const log = logPath(architecture, "build");
  const argv = ["make", `-j${availableParallelism()}`, ...variables, ...constantStamps(tree), make];
  await step(`kernel ${architecture}: compiling`, async (tell) => {
    const watch = setInterval(() => {
      const objects = countObjects(existsSync(log) ? readFileSync(log, "utf8") : "");
      const percent = Math.min(99, Math.floor((100 * objects) / objects_estimated));
      tell(`${percent} %, ${objects} objects, log in ${log}`);
    }, 10_000);
    try {
      await run(argv, { cwd: tree, log });
    } finally {
      clearInterval(watch);
    }
    say(`kernel ${architecture}: ${countObjects(readFileSync(log, "utf8"))} objects compiled`);
  });
}

function countObjects(log: string): number {
  return log.match(/^ {2}(?:CC|AS) {2,}/gm)?.length ?? 0;
}

/** Who, where and when go into the kernel's banner; the same for everybody, so that the same inputs give the same image. */
function constantStamps(tree: string): string[] {
  const released = statSync(join(tree, "Makefile")).mtime.toUTCString();
  return ["KBUILD_BUILD_USER=aios", "KBUILD_BUILD_HOST=aios", "KBUILD_BUILD_VERSION=1", `KBUILD_BUILD_TIMESTAMP=${released}`];
}

/** An empty log file of this build. */
function logPath(architecture: Architecture, what: string): string {
  const path = join(here, "..", "build", "log", `kernel-${architecture}-${what}.log`);
  rmSync(path, { force: true });
  return path;
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
