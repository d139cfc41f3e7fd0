/**
 * A backup is a folder with the files themselves, so that nothing of ours is needed to read it or put it back.
 *
 * SQLite's backup interface copies all pages inside one read transaction: the copy is memory at one moment, and the
 * service goes on writing meanwhile. Segments never change: they are there by a second name. The folder gets the name
 * that it was asked for when everything in it is checked and flushed; until then its name begins with a dot.
 */

import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Job } from "../../../contracts/memory/job.ts";
import type { Backup, BackupFile } from "../../../contracts/memory/upkeep.ts";
import { openReadOnly, schemaVersion } from "../../../wire/database.ts";
import { syncFolder, writeDurably } from "../../../wire/files.ts";
import { loadNative } from "../../../wire/native.ts";
import { memory_file } from "../../store/migrations.ts";
import { backupIn, backupsIn, ensure, manifest_file, segmentFile, segmentsIn } from "../folders.ts";
import { countRows, faultsIn, segmentsNamed } from "./database.ts";
import { bytesOf, flush, linkOrCopy, sha256Of } from "./files.ts";
import { type Manifest, told } from "./manifest.ts";

/** As many pages as there are, in one step. */
const all_pages = 0x7fffffff;

/** @throws when the name is taken, the disk is full, or memory.db is damaged; no unfinished folder is left then */
export async function makeBackup({ folder, name, time_ms }: Extract<Job, { do: "backup" }>): Promise<Backup> {
  const target = backupIn(folder, name);
  if (existsSync(target)) throw new Error(`"${name}" is there already; choose another name`);
  ensure(backupsIn(folder));
  const unfinished = backupIn(folder, `.${name}`);
  rmSync(unfinished, { recursive: true, force: true });
  try {
    const manifest = await fill(ensure(unfinished), folder, time_ms);
    writeDurably(join(unfinished, manifest_file), `${JSON.stringify(manifest, null, 1)}\n`);
    renameSync(unfinished, target);
    syncFolder(backupsIn(folder));
    return told(name, manifest);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function fill(unfinished: string, folder: string, made_ms: number): Promise<Manifest> {
  const path = join(unfinished, memory_file.file);
  await copyPages(join(folder, memory_file.file), path);
  const db = openReadOnly(path);
  try {
    const faults = faultsIn(db);
    if (faults.length > 0) throw new Error(`the copy of memory.db is damaged, and so is memory.db: ${faults.join("; ")}`);
    const files: BackupFile[] = [{ name: memory_file.file, bytes: bytesOf(path), sha256: sha256Of(path) }];
    ensure(join(unfinished, "segments"));
    for (const { id, sha256 } of segmentsNamed(db)) files.push(placeSegment(unfinished, folder, segmentFile(id), sha256));
    syncFolder(join(unfinished, "segments"));
    return { form: 1, made_ms, schema: schemaVersion(db), files, rows: countRows(db) };
  } finally {
    db.close();
  }
}

async function copyPages(from: string, to: string): Promise<void> {
  const source = openReadOnly(from);
  try {
    await source.backup(to, { progress: () => all_pages });
  } finally {
    source.close();
  }
  // it says of itself that it has a write-ahead log, as the original has: the copy is one file
  const copy = new (loadNative("better-sqlite3") as typeof Sqlite)(to);
  copy.pragma("journal_mode = DELETE");
  copy.close();
  flush(to);
}

/** A segment that is damaged is in the backup as it is, under the hash that it should have: verifying says so. */
function placeSegment(unfinished: string, folder: string, file: string, sha256: string): BackupFile {
  const from = join(segmentsIn(folder), file);
  const name = `segments/${file}`;
  if (existsSync(from)) linkOrCopy(from, join(unfinished, name));
  return { name, bytes: bytesOf(from), sha256 };
}
