/** Which generations and bases nobody needs any more, and how they go. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import { parseMounts } from "../../../paths/mounts.ts";
import { breathe, goOn } from "../../fs/shared/failure.ts";
import { topMount } from "../../fs/shared/mounting.ts";
import { baseFile, pinOf } from "./base.ts";
import { basesOf, generationFolder, generationsOf, mountsOf, stagingOf } from "./folders.ts";
import { chainOf, currentNumber, readGenerations } from "./generation.ts";
import { baseMount, mount_name } from "./mounts.ts";

export interface Prunable {
  /** Oldest first. */
  readonly generations: readonly number[];
  /** SHA-256 of bases upon which none that stays lies, and which are not the image's. */
  readonly bases: readonly string[];
  /** Older than those that are kept, and needed all the same. */
  readonly needed: readonly { readonly number: number; readonly why: string }[];
}

type Ports = Pick<Context, "places">;

/**
 * What stays: the current one, those that run, the newest `keep`, and what any of these lies upon. One that is damaged stays
 * for a person to look at, and so does everything while it cannot be said what it lies upon.
 */
export function prunable(keep: number, older_than_ms: number, context: Ports): Prunable {
  const { records } = readGenerations(context);
  const reasons = new Map<number, string>();
  const stays = (number: number, why: string, lies: string): void => {
    for (const { number: each } of number === 0 ? [] : chainOf(number, context))
      if (!reasons.has(each)) reasons.set(each, each === number ? why : lies);
  };
  const current = currentNumber(context);
  stays(current, "it is the current one", "the current one lies upon it");
  for (const number of records.map((record) => record.number).slice(-keep)) stays(number, "kept", "one that is kept lies upon it");
  for (const record of records)
    if (record.time_ms > older_than_ms) stays(record.number, "it is too young", "one that is too young lies upon it");
  const there = new Set(records.map(({ number }) => number));
  for (const number of runningGenerations(context.places))
    if (there.has(number)) stays(number, "something runs in it", "something runs in one that lies upon it");
  const generations = records.map(({ number }) => number).filter((number) => !reasons.has(number));
  const used = new Set([...records.filter(({ number }) => reasons.has(number)).map(({ base }) => base), pinOf(context).sha256]);
  return {
    generations,
    bases: basesThere(context).filter((sha256) => !used.has(sha256)),
    needed: [...reasons].map(([number, why]) => ({ number, why })).sort((a, b) => a.number - b.number),
  };
}

function basesThere({ places }: Ports): string[] {
  try {
    return readdirSync(basesOf(places)).flatMap((name) => /^([0-9a-f]{64})\.erofs$/.exec(name)?.[1] ?? []);
  } catch {
    return []; // nobody has used it yet
  }
}

/** Those of this userland that any process sees mounted, by the mount tables of all mount namespaces (proc_pid_mountinfo(5)). */
function runningGenerations(places: Ports["places"]): ReadonlySet<number> {
  const [found, seen] = [new Set<number>(), new Set<string>()];
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) continue;
      seen.add(namespace);
      for (const { source, super_options } of parseMounts(readFileSync(`/proc/${pid}/mountinfo`))) {
        const number = Number(mount_name.exec(source)?.[1]);
        // another system in a container of this machine has generations of the same numbers
        if (super_options.some((option) => option.includes(`${generationFolder(number, places)}/layer`))) found.add(number);
      }
    } catch {
      // it has ended
    }
  }
  return found;
}

/** Out of the generations by one rename each, and then removed; what is interrupted is gone at the broker's next start. */
export async function removeGenerations(numbers: readonly number[], context: Context): Promise<void> {
  const { places, sys } = context;
  mkdirSync(stagingOf(places), { recursive: true, mode: 0o700 });
  for (const number of numbers) {
    goOn(context.signal);
    const at = `${mountsOf(places)}/${number}`;
    while (topMount(at) !== null) sys.mount.unmount(at, ["detach", "nofollow"]);
    const grave = `${stagingOf(places)}/gone-${number}`;
    renameSync(generationFolder(number, places), grave);
    syncFolder(generationsOf(places));
    await rm(grave, { recursive: true, force: true });
  }
}

export async function removeBases(hashes: readonly string[], context: Context): Promise<void> {
  for (const sha256 of hashes) {
    goOn(context.signal);
    const at = baseMount(sha256, context);
    while (topMount(at) !== null) context.sys.mount.unmount(at, ["detach", "nofollow"]);
    try {
      rmdirSync(at);
    } catch {
      // it was not mounted since the start
    }
    await rm(baseFile(sha256, context), { force: true });
  }
}

/** Bytes that are free once these are gone: a file with another name elsewhere stays. */
export async function bytesOf({ generations, bases }: Pick<Prunable, "generations" | "bases">, context: Context): Promise<number> {
  const links = new Map<bigint, { left: bigint; bytes: number }>();
  const count = async (folder: string): Promise<void> => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const status = lstatSync(path, { bigint: true });
      const known = links.get(status.ino) ?? {
        left: status.isDirectory() ? 1n : status.nlink,
        bytes: Number(status.blocks) * 512,
      };
      links.set(status.ino, { ...known, left: known.left - 1n });
      if (status.isDirectory()) await count(path);
    }
    goOn(context.signal);
    await breathe();
  };
  for (const number of generations) await count(generationFolder(number, context.places));
  const of_bases = bases.reduce((sum, sha256) => sum + statSync(baseFile(sha256, context)).size, 0);
  return [...links.values()].reduce((sum, { left, bytes }) => sum + (left <= 0n ? bytes : 0), of_bases);
}
