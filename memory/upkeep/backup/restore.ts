/**
 * A restore, in the order in which it can be killed anywhere:
 *
 *   staged    a verified copy is in `restore/`, flushed                  killed before the next line: the old memory
 *   pending   `restore.json` says so, flushed                            killed from here on: the new memory, because
 *   moved     memory.db and segments/ go to `replaced-<time>/`, and      the next start goes through the same steps,
 *             those of `restore/` come in their place                    each of which sees whether it was done
 *   done      `restore.json` is gone
 *
 * Nothing is deleted but the empty staging folder.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Job, PendingRestore } from "../../../contracts/memory/job.ts";
import type { Backup } from "../../../contracts/memory/upkeep.ts";
import { syncFolder, writeDurably } from "../../../wire/files.ts";
import { memory_file } from "../../store/migrations.ts";
import { backupIn, ensure, pendingIn, stagingIn } from "../folders.ts";
import { damagedFiles } from "../recover/tables.ts";
import { copyDurably, linkOrCopy, sha256Of } from "./files.ts";
import { readManifest } from "./manifest.ts";
import { verifyBackup } from "./verify.ts";

/** In the helper. @throws when the backup is not whole, or the disk has no room for the copy */
export function stage({ folder, name }: Extract<Job, { do: "stage" }>): Backup {
  if (existsSync(pendingIn(folder))) throw new Error("another restore was begun and is not over: restart the memory service");
  const from = backupIn(folder, name);
  const { backup, faults } = verifyBackup(from, name);
  if (backup === null || faults.length > 0) throw new Error(`the backup "${name}" is not whole: ${faults.join("; ")}`);
  const staging = stagingIn(folder);
  rmSync(staging, { recursive: true, force: true });
  try {
    ensure(join(staging, "segments"));
    for (const { name: file, sha256 } of readManifest(from).files) {
      const to = join(staging, file);
      if (file === memory_file.file) copyDurably(join(from, file), to);
      else linkOrCopy(join(from, file), to);
      if (sha256Of(to) !== sha256) throw new Error(`"${file}" changed while it was copied`);
    }
    syncFolder(join(staging, "segments"));
    syncFolder(staging);
    return backup;
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

/** From this call on the staged copy becomes memory, now or at the next start. */
export function decideRestore(folder: string, pending: PendingRestore): void {
  writeDurably(pendingIn(folder), JSON.stringify(pending));
}

/**
 * Brings a restore that was decided to its end; memory.db must not be open.
 * @param step called before each change of the folder
 * @returns what it was, or null. @throws
 */
export function finishRestore(folder: string, step: () => void = () => {}): PendingRestore | null {
  const path = pendingIn(folder);
  if (!existsSync(path)) return null;
  const pending = PendingRestore.parse(JSON.parse(readFileSync(path, "utf8")));
  const aside = join(folder, pending.set_aside);
  mkdirSync(aside, { recursive: true });
  for (const entry of ["segments", memory_file.file]) exchange(folder, aside, entry, step);
  // what was damaged belongs to the memory that goes: the new one is not to be filled up from it
  for (const file of pending.keeps_damaged === true ? [] : damagedFiles(folder)) {
    step();
    for (const suffix of ["-wal", "-shm", ""])
      if (existsSync(join(folder, file + suffix))) renameSync(join(folder, file + suffix), join(aside, file + suffix));
  }
  step();
  rmSync(path);
  syncFolder(folder);
  step();
  rmSync(stagingIn(folder), { recursive: true, force: true });
  return pending;
}

function exchange(folder: string, aside: string, entry: string, step: () => void): void {
  const fresh = join(stagingIn(folder), entry);
  if (!existsSync(fresh)) return;
  for (const suffix of ["-wal", "-shm", ""]) {
    step();
    const old = join(folder, entry + suffix);
    if (existsSync(old)) renameSync(old, join(aside, entry + suffix));
  }
  syncFolder(aside);
  syncFolder(folder);
  step();
  renameSync(fresh, join(folder, entry));
  syncFolder(folder);
}
