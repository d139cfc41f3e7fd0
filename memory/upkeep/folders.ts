/**
 * What lies in memory's folder beside memory.db:
 *
 *   backups/<name>/         memory.db, segments/, manifest.json; a name that begins with a dot is not finished
 *   segments/<id>.seg       cold memories, never changed; <id>.seg.new is not finished
 *   exports/, imports/      JSON lines that go out or come in
 *   restore/                a verified copy on its way to become memory
 *   restore.json            from now on it does (backup/restore.ts)
 *   replaced-<time>[-n]/    what a restore took the place of
 */

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

export const backupsIn = (folder: string): string => join(folder, "backups");
export const backupIn = (folder: string, name: string): string => join(folder, "backups", name);
export const segmentsIn = (folder: string): string => join(folder, "segments");
export const exportsIn = (folder: string): string => join(folder, "exports");
export const importsIn = (folder: string): string => join(folder, "imports");
/** An import that was read through and found right, as a segment. */
export const checkedImport = (folder: string, name: string): string => join(importsIn(folder), `.${name}.seg`);
export const stagingIn = (folder: string): string => join(folder, "restore");
export const pendingIn = (folder: string): string => join(folder, "restore.json");
/** How the name of a segment ends that is being written. */
export const unfinished = ".new";
export const manifest_file = "manifest.json";

export function segmentFile(id: number): string {
  return `${id}.seg`;
}

/** A name for a folder that is not there yet, also when the clock was set back to a time that it has shown before. */
export function freeName(folder: string, prefix: string, time: Date): string {
  const stamp = `${prefix}-${time.toISOString().replace(/[-:]/g, "")}`;
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? stamp : `${stamp}-${n}`;
    if (!existsSync(join(folder, name))) return name;
  }
}

export function ensure(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
