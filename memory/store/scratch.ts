/**
 * A copy of memory.db in RAM, for a disk that cannot be written: what is on it can be read, and what is new is kept beside it
 * until the disk can be written again (Keeper.bringBack).
 */

import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { inspect, openFile } from "../../wire/database.ts";
import { memory_file } from "./migrations.ts";

/** Of the memory that is free: the services need theirs. */
const share_max = 1 / 4;

export interface Scratch {
  readonly db: Sqlite.Database;
  readonly folder: string;
}

/** @returns null when there is no file, it is not whole, or it is too large for RAM */
export function copyToRam(path: string): Scratch | null {
  const parts = ["", "-wal"].filter((suffix) => existsSync(path + suffix));
  if (!parts.includes("")) return null;
  const bytes = parts.reduce((sum, suffix) => sum + statSync(path + suffix).size, 0);
  if (bytes > freemem() * share_max) return null;
  const folder = mkdtempSync(join(tmpdir(), "memory-"));
  try {
    const copy = join(folder, memory_file.file);
    for (const suffix of parts) copyFileSync(path + suffix, copy + suffix);
    if (inspect(copy, memory_file) === null) return { db: openFile(copy, memory_file), folder };
  } catch {
    // a disk that cannot even be read: the caller has said that it cannot be used
  }
  rmSync(folder, { recursive: true, force: true });
  return null;
}
