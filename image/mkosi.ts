/**
 * mkosi, from Debian 13's own package, run without being installed. Debian 12's is too old, and a pinned one builds
 * the same image on either.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, cacheRoot, keyOf } from "../tooling/cache.ts";
import { DebianArchive, sourcesText } from "../tooling/debian.ts";
import { say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { image, logs } from "./places.ts";

const pinned = "25.3-7";

async function unpackedMkosi(): Promise<string> {
  const entry = await cached("mkosi", pinned, (folder) =>
    step(`mkosi ${pinned} from Debian 13`, async () => {
      const archive = new DebianArchive();
      await archive.update();
      const candidate = await archive.candidate("mkosi");
      if (candidate !== pinned)
        say(
          `mkosi: the archive has moved on from "${pinned}" to "${candidate}"; using that. ` +
            `When the image is right, write "${candidate}" into image/mkosi.ts.`,
        );
      await archive.unpack(`mkosi=${candidate}`, join(folder, "tree"));
    }),
  );
  return join(entry, "tree");
}

/** Runs mkosi on one of our definitions. `definition` is a folder with a mkosi.conf. */
export async function mkosi(
  definition: string,
  output: string,
  options: readonly string[],
  tell: (how_far: string) => void,
): Promise<void> {
  const tree = await unpackedMkosi();
  const home = join(cacheRoot(), "mkosi-work");
  const folder = (name: string): string => {
    const path = join(home, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const sources = folder("sandbox/etc/apt/sources.list.d");
  writeFileSync(join(sources, "mkosi.sources"), sourcesText());
  mkdirSync(output, { recursive: true });
  const log = join(logs, `mkosi-${definition.split("/").at(-1)}.log`);
  mkdirSync(logs, { recursive: true });
  writeFileSync(log, "");
  const watch = setInterval(() => tell(lastLine(log)), 2500);
  try {
    await run(
      [
        ...["python3", "-m", "mkosi", "--directory", definition, "--output-directory", output],
        ...["--workspace-directory", folder("workspace"), "--cache-directory", folder("cache")],
        ...["--package-cache-directory", folder("packages")],
        ...["--sandbox-tree", join(home, "sandbox"), "--tools-tree-sandbox-tree", join(home, "sandbox")],
        ...options,
        ...["--force", "build"],
      ],
      { env: { PYTHONPATH: join(tree, "usr/lib/python3/dist-packages") }, log },
    );
  } finally {
    clearInterval(watch);
  }
}

function lastLine(log: string): string {
  return readFileSync(log, "utf8").trimEnd().split("\n").at(-1)?.slice(0, 100) ?? "";
}

export interface Base {
  /** The minimal Debian install to copy from. */
  readonly tree: string;
  /** Debian 13 with the tools that make images. */
  readonly tools: string;
  readonly key: string;
}

/** The slow part: depends on the package list alone, not on our code. */
export async function baseTree(): Promise<Base> {
  const definition = join(image, "mkosi/base");
  const key = keyOf({ values: [readFileSync(join(definition, "mkosi.conf"), "utf8"), pinned] });
  const entry = await cached("base", key, (folder) =>
    step("base tree: Debian 13 and the image tools (about 2 minutes)", (tell) => mkosi(definition, folder, [], tell)),
  );
  const base: Base = { tree: join(entry, "base"), tools: join(entry, "tools"), key };
  for (const path of [base.tree, base.tools])
    if (!existsSync(path)) throw new Error(`building the base tree failed: mkosi left no "${path}"; see ${logs}/mkosi-base.log`);
  return base;
}

/**
 * Runs a program of the tools tree, without network.
 * @param inputs host paths that it sees read-only, as `/mnt/<name>`
 * @param output the one folder of the host that it may write to, as `/mnt/out`
 */
export async function runTool(
  base: Base,
  argv: readonly string[],
  places: { readonly inputs: Readonly<Record<string, string>>; readonly output: string },
): Promise<string> {
  const inputs = Object.entries(places.inputs).flatMap(([name, path]) => ["--ro-bind", path, `/mnt/${name}`]);
  return run([
    ...["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", base.tools, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...["--tmpfs", "/mnt", ...inputs, "--bind", places.output, "/mnt/out"],
    ...["--clearenv", "--setenv", "PATH", "/usr/bin:/usr/sbin", "--setenv", "LC_ALL", "C.UTF-8", "--"],
    ...argv,
  ]);
}
