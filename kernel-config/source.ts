/**
 * The kernel source: Debian's source package in the version that source.json pins.
 *
 * Debian's archive keeps only the newest version of a suite: a security update takes the pinned one away. Then the
 * newest is taken instead, loudly: an old kernel with known holes is no better than a newer one that nobody has
 * tried yet, and a checkout that cannot be built is worse than both. `--pin` writes the newest into source.json.
 */

import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { cached, keyOf } from "../tooling/cache.ts";
import { DebianArchive } from "../tooling/debian.ts";
import { say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { here } from "./wanted.ts";

export const Source = z.strictObject({
  package: z.string().regex(/^linux-source-[0-9.]+$/),
  version: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Source = z.infer<typeof Source>;

const pinFile = join(here, "source.json");

function readSource(file: string = pinFile): Source {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`reading "${file}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = Source.safeParse(raw);
  if (!parsed.success) throw new Error(`reading "${file}" failed: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export interface Fetched {
  /** What is really there: the pin, or what stands in for it. */
  readonly source: Source;
  readonly deb: string;
}

/** The pinned package, from the cache or from the archive. Asks the network only when the cache has nothing. */
export async function fetchSource(): Promise<Fetched> {
  const pin = readSource();
  const folder = await cached("kernel-source", sourceKey(pin), async (entry) => {
    await step(`kernel source: downloading ${pin.package} ${pin.version}`, async () => {
      const archive = new DebianArchive();
      await archive.update();
      await download(archive, pin, entry);
    });
  });
  const source = readSource(join(folder, "source.json"));
  if (source.version !== pin.version) say(standInMessage(pin, source));
  else if (source.sha256 !== pin.sha256) {
    throw new Error(
      `checking ${pin.package} ${pin.version} failed: its SHA-256 is "${source.sha256}", source.json pins "${pin.sha256}"; the archive never changes a version, so distrust the mirror or the pin`,
    );
  }
  return { source, deb: join(folder, "source.deb") };
}

const sourceKey = ({ package: name, version }: Pick<Source, "package" | "version">): string => keyOf({ values: [name, version] });

async function download(archive: DebianArchive, wanted: Pick<Source, "package" | "version">, folder: string): Promise<void> {
  const candidate = await archive.candidate(wanted.package);
  const pinned = await downloadOrCause(archive, `${wanted.package}=${wanted.version}`, folder);
  if (typeof pinned !== "string" && candidate === wanted.version) throw pinned;
  const deb = typeof pinned === "string" ? pinned : await archive.download(`${wanted.package}=${candidate}`, folder);
  const version = typeof pinned === "string" ? wanted.version : candidate;
  renameSync(deb, join(folder, "source.deb"));
  const sha256 = createHash("sha256")
    .update(readFileSync(join(folder, "source.deb")))
    .digest("hex");
  writeFileSync(join(folder, "source.json"), jsonText({ package: wanted.package, version, sha256 }));
}

const jsonText = (source: Source): string => `${JSON.stringify(source, null, 2)}\n`;

async function downloadOrCause(archive: DebianArchive, name: string, folder: string): Promise<string | Error> {
  try {
    return await archive.download(name, folder);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function standInMessage(pin: Source, actual: Source): string {
  return `kernel source: the archive no longer has ${pin.package} ${pin.version}; building ${actual.version} in its place. Run "bun kernel-config/build.ts --pin" and commit source.json`;
}

/** Writes the archive's newest version into source.json. */
export async function pinNewest(): Promise<void> {
  const archive = new DebianArchive();
  await archive.update();
  const old = readSource();
  const version = await archive.candidate(old.package);
  if (version === old.version) {
    say(`kernel source: ${old.package} ${version} is the newest and is pinned already`);
    return;
  }
  const folder = await cached("kernel-source", sourceKey({ package: old.package, version }), (entry) =>
    download(archive, { package: old.package, version }, entry),
  );
  writeFileSync(pinFile, jsonText(readSource(join(folder, "source.json"))));
  say(`kernel source: pinned ${old.package} ${version} (was ${old.version})`);
}

/** Unpacks the source tree into `folder`. @returns the tree's path */
export async function unpackSource(fetched: Fetched, folder: string): Promise<string> {
  const name = fetched.source.package;
  await run(["dpkg-deb", "-x", fetched.deb, folder]);
  await run(["tar", "-xJf", join(folder, "usr/src", `${name}.tar.xz`), "-C", folder]);
  return join(folder, name);
}
