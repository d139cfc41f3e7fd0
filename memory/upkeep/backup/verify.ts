/** Reads all of a backup and compares it with its manifest. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Backup } from "../../../contracts/memory/upkeep.ts";
import { openReadOnly } from "../../../wire/database.ts";
import { memory_file } from "../../store/migrations.ts";
import { countRows, faultsIn } from "./database.ts";
import { sha256Of } from "./files.ts";
import { type Manifest, readManifest, told } from "./manifest.ts";

const faults_max = 100;

/** @param backup its folder */
export function verifyBackup(backup: string, name: string): { backup: Backup | null; faults: string[] } {
  let manifest: Manifest;
  try {
    manifest = readManifest(backup);
  } catch (error) {
    return { backup: null, faults: [error instanceof Error ? error.message : String(error)] };
  }
  const faults = manifest.files.flatMap((file) => {
    const path = join(backup, file.name);
    if (!existsSync(path)) return [`"${file.name}" is missing`];
    return sha256Of(path) === file.sha256 ? [] : [`"${file.name}" is not what was written: its SHA-256 differs`];
  });
  if (!manifest.files.some(({ name: file }) => file === memory_file.file)) faults.push("the manifest names no memory.db");
  if (faults.length === 0) faults.push(...databaseFaults(join(backup, memory_file.file), manifest));
  return { backup: told(name, manifest), faults: faults.slice(0, faults_max) };
}

function databaseFaults(path: string, manifest: Manifest): string[] {
  try {
    const db = openReadOnly(path);
    try {
      const faults = faultsIn(db);
      if (faults.length > 0) return faults;
      const rows = countRows(db);
      return Object.entries(manifest.rows)
        .filter(([table, count]) => rows[table] !== count)
        .map(([table, count]) => `table "${table}" holds ${rows[table] ?? 0} rows, and the manifest says ${count}`);
    } finally {
      db.close();
    }
  } catch (error) {
    return [`reading memory.db failed: ${error instanceof Error ? error.message : String(error)}`];
  }
}
