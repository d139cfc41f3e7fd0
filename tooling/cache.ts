/**
 * Cache of slow build products, keyed by the hash of everything that goes into them.
 *
 * Lives in `${XDG_CACHE_HOME:-~/.cache}/aios/<kind>/<key>/`, outside the checkout. An entry appears by rename
 * when its build has succeeded, so a killed build leaves no half entry. Deleting the whole folder is always safe.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { say } from "./progress.ts";

/** Finished entries of one kind that are kept; the least recently used beyond these are removed. */
const entries_kept_max = 4;

export function cacheRoot(): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "aios");
}

/**
 * Hash over named inputs: the content of files and folders, and plain strings (versions, flags). Of a path only the last
 * name counts: another checkout of the same source has the same key.
 */
export function keyOf(inputs: { readonly files?: readonly string[]; readonly values?: readonly string[] }): string {
  const hash = createHash("sha256");
  for (const file of inputs.files ?? []) hashPath(hash, file, basename(file));
  for (const value of inputs.values ?? []) hash.update(`value\0${value}\0`);
  return hash.digest("hex").slice(0, 24);
}

function hashPath(hash: ReturnType<typeof createHash>, path: string, name: string): void {
  if (statSync(path).isDirectory()) {
    for (const entry of readdirSync(path).sort()) hashPath(hash, join(path, entry), `${name}/${entry}`);
    return;
  }
  hash
    .update(`file\0${name}\0${statSync(path).mode & 0o111 ? "x" : "-"}\0`)
    .update(readFileSync(path))
    .update("\0");
}

/**
 * The folder of a finished entry; builds it first when it is not there.
 * @param build fills the empty folder that it is given
 */
export async function cached(kind: string, key: string, build: (folder: string) => Promise<void>): Promise<string> {
  const home = join(cacheRoot(), kind);
  const entry = join(home, key);
  if (existsSync(entry)) {
    const now = new Date();
    utimesSync(entry, now, now);
    say(`${kind}: unchanged, taken from the cache (${key})`);
    return entry;
  }
  mkdirSync(home, { recursive: true });
  sweep(home);
  const partial = join(home, `.partial-${key}-${process.pid}`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  try {
    await build(partial);
    if (!existsSync(entry)) renameSync(partial, entry);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  prune(home);
  return entry;
}

/** Removes what builds left behind that were killed. */
function sweep(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = /^\.partial-.*-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(home, name), { recursive: true, force: true });
  }
}

function prune(home: string): void {
  const entries = readdirSync(home)
    .filter((name) => !name.startsWith("."))
    .map((name) => ({ path: join(home, name), used_ms: statSync(join(home, name)).mtimeMs }))
    .sort((a, b) => b.used_ms - a.used_ms);
  for (const old of entries.slice(entries_kept_max)) rmSync(old.path, { recursive: true, force: true });
}
