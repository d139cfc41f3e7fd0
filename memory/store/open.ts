/**
 * Opens memory.db, whatever state it is in.
 *
 *   usable                       → used
 *   missing                      → made
 *   damaged, or not a memory     → renamed to `memory-damaged-<time>.db`, a new one is made
 *   written by a later version   → left alone; memory is in RAM only until that version runs again
 *   folder missing or read-only  → memory is in RAM only
 *
 * A file is looked at through a read-only connection first, so that one that is not used is not changed either.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { loadNative } from "../../wire/native.ts";
import { application_id, migrate, migrations, pragmaNumber, schemaVersion } from "./migrations.ts";

export interface OpenDatabase {
  readonly db: Sqlite.Database;
  /** The file, or null when memory is in RAM only. */
  readonly path: string | null;
  /** What is written outlives the power. */
  readonly persistent: boolean;
  /** What does not work and what to do, or null. */
  readonly degradation: string | null;
  /** Damaged files that are kept in the folder. */
  readonly kept_aside: number;
}

/** Larger files are not read through when they are opened; damage in them is found when it is met. */
const checked_bytes_max = 64 * 1024 * 1024;
/** statfs(2): f_type of tmpfs. */
const tmpfs_magic = 0x01021994;
const suffixes = ["", "-wal", "-shm"] as const;

class Damaged extends Error {
  override readonly name = "Damaged";
}
class FromTheFuture extends Error {
  override readonly name = "FromTheFuture";
}

export function openDatabase(folder: string, now: () => Date = () => new Date()): OpenDatabase {
  const path = join(folder, "memory.db");
  let degradation: string | null = null;
  try {
    mkdirSync(folder, { recursive: true });
    if (existsSync(path)) {
      const damage = inspect(path);
      if (damage !== null) degradation = setAside(path, damage, now());
    }
    const db = openFile(path);
    return { db, path, persistent: statfsSync(folder).type !== tmpfs_magic, degradation, kept_aside: keptAside(folder) };
  } catch (error) {
    return { db: openInRam(), path: null, persistent: false, degradation: inRamBecause(path, error), kept_aside: keptAside(folder) };
  }
}

/** Whether an error of SQLite says that the file itself is broken. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return error instanceof Damaged || code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

/** @returns what is broken, or null. @throws {FromTheFuture}, and when the file cannot be read at all */
function inspect(path: string): string | null {
  if (statSync(path).size === 0) return null;
  let db: Sqlite.Database | null = null;
  try {
    db = new (sqlite())(path, { readonly: true, fileMustExist: true });
    const version = schemaVersion(db);
    const ours = pragmaNumber(db, "application_id") === application_id;
    if (!ours) return "it is a database, but not a memory of this system";
    if (version > migrations.length) throw new FromTheFuture(`its schema is ${version}, and this version knows ${migrations.length}`);
    if (statSync(path).size > checked_bytes_max) return null;
    const answer = db.pragma("quick_check(1)", { simple: true });
    return answer === "ok" ? null : String(answer);
  } catch (error) {
    if (isDamage(error)) return describe(error);
    throw error;
  } finally {
    db?.close();
  }
}

function openFile(path: string): Sqlite.Database {
  const db = new (sqlite())(path, { timeout: 2000 });
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("cache_size = -1024");
    // SQLite opens a file that it may not write as read-only without a word: a write transaction tells.
    db.transaction(() => {}).immediate();
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openInRam(): Sqlite.Database {
  const db = new (sqlite())(":memory:");
  migrate(db);
  return db;
}

/** Renames the file and what belongs to it. @returns the sentence for health. @throws when the folder is read-only */
export function setAside(path: string, damage: string, time: Date): string {
  const stamp = time.toISOString().replace(/[-:]/g, "");
  const kept = path.replace(/memory\.db$/, `memory-damaged-${stamp}.db`);
  for (const suffix of suffixes) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  return `opening "${path}" failed: ${damage}; it is kept as "${kept}" and a new memory was begun: recover what is needed from it`;
}

function keptAside(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => /^memory-damaged-.*\.db$/.test(name)).length;
  } catch {
    return 0;
  }
}

function inRamBecause(path: string, error: unknown): string {
  const todo =
    error instanceof FromTheFuture
      ? "the file was not touched: boot the version that wrote it"
      : "check the data partition, then restart the service";
  return `opening "${path}" failed: ${describe(error)}; memory is in RAM only and lost at power-off; ${todo}`;
}

function sqlite(): typeof Sqlite {
  return loadNative("better-sqlite3") as typeof Sqlite;
}

/** SQLite's name of an error: `SQLITE_FULL`; empty when it is none of SQLite's. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function describe(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return code === "" ? text : `${text} (${code})`;
}
