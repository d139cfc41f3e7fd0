/**
 * A database file of a service of ours (SQLite by better-sqlite3), whatever state it is found in. `memory/` and `tools/`
 * each have one; what they do when it cannot be used is their own matter.
 *
 * A file is looked at through a read-only connection first, so that one that is not used is not changed either.
 */

import { closeSync, existsSync, fdatasyncSync, openSync, readdirSync, renameSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type Sqlite from "better-sqlite3";
import { loadNative } from "./native.ts";

/** What tells one database of ours from another, and the steps to its schema. */
export interface DatabaseKind {
  /** The file's name in its folder, ending in `.db`. */
  readonly file: string;
  /** For people: "a memory". */
  readonly what: string;
  /** sqlite.org/pragma.html#pragma_application_id */
  readonly application_id: number;
  /** Numbered steps that are only ever added to; `user_version` is the number of steps taken. */
  readonly migrations: readonly string[];
  /** A file that is made from now on can give pages back to the file system (sqlite.org/pragma.html#pragma_auto_vacuum). */
  readonly shrinks?: true;
}

/** Larger files are not read through when they are opened; damage in them is found when it is met. */
const checked_bytes_max = 64 * 1024 * 1024;
/** statfs(2): f_type of tmpfs. */
const tmpfs_magic = 0x01021994;
const suffixes = ["", "-wal", "-shm"] as const;

export class Damaged extends Error {
  override readonly name = "Damaged";
}
export class FromTheFuture extends Error {
  override readonly name = "FromTheFuture";
}

/** Whether an error of SQLite says that the file itself is broken. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return error instanceof Damaged || code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

/** SQLite's name of an error: `SQLITE_FULL`; empty when it is none of SQLite's. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

export function describe(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return code === "" ? text : `${text} (${code})`;
}

/** @throws an error of SQLite when there is no such file, or it cannot be opened */
export function openReadOnly(path: string): Sqlite.Database {
  return new (sqlite())(path, { readonly: true, fileMustExist: true });
}

/** @returns what is broken, or null. @throws {FromTheFuture}, and when the file cannot be read at all */
export function inspect(path: string, kind: DatabaseKind): string | null {
  if (!existsSync(path) || statSync(path).size === 0) return null;
  let db: Sqlite.Database | null = null;
  try {
    db = openReadOnly(path);
    const version = schemaVersion(db);
    const ours = pragmaNumber(db, "application_id") === kind.application_id;
    if (!ours) return `it is a database, but not ${kind.what} of this system`;
    const known = kind.migrations.length;
    if (version > known) throw new FromTheFuture(`its schema is ${version}, and this version knows ${known}`);
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

/** Opens the file, or makes it, for durable writing. @throws when it cannot be written */
export function openFile(path: string, kind: DatabaseKind): Sqlite.Database {
  const db = new (sqlite())(path, { timeout: 2000 });
  try {
    if (kind.shrinks === true) db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("cache_size = -1024");
    // SQLite opens a file that it may not write as read-only without a word: a write transaction tells.
    db.transaction(() => {}).immediate();
    migrate(db, kind);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** fsync(2) of the write-ahead log: what was committed without waiting for the disk is then as durable as the rest. */
export function flushLog(path: string | null): void {
  if (path === null || !existsSync(`${path}-wal`)) return;
  const fd = openSync(`${path}-wal`, "r");
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function openInRam(kind: DatabaseKind): Sqlite.Database {
  const db = new (sqlite())(":memory:");
  migrate(db, kind);
  return db;
}

/** Renames the file and what belongs to it. @returns the new name. @throws when the folder is read-only */
export function moveAside(path: string, time: Date): string {
  const stamp = time.toISOString().replace(/[-:]/g, "");
  let kept = path.replace(/\.db$/, `-damaged-${stamp}.db`);
  // the clock may show a time again that it has shown before
  for (let n = 2; existsSync(kept); n += 1) kept = path.replace(/\.db$/, `-damaged-${stamp}-${n}.db`);
  for (const suffix of suffixes) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  return kept;
}

/** How many damaged files are kept beside `path`. */
export function keptAside(path: string): number {
  const [stem = ""] = path.slice(dirname(path).length + 1).split(".db");
  try {
    return readdirSync(dirname(path)).filter((name) => name.startsWith(`${stem}-damaged-`) && name.endsWith(".db")).length;
  } catch {
    return 0;
  }
}

/** Whether what is written in this folder outlives the power. */
export function outlivesPower(folder: string): boolean {
  return statfsSync(folder).type !== tmpfs_magic;
}

/** Bytes in the file and its write-ahead log. */
export function sizeOnDisk(path: string): number {
  return ["", "-wal"].reduce((sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Takes the steps that are missing, all or none. */
export function migrate(db: Sqlite.Database, kind: Pick<DatabaseKind, "application_id" | "migrations">): void {
  const taken = schemaVersion(db);
  if (taken === kind.migrations.length) return;
  db.transaction(() => {
    for (const step of kind.migrations.slice(taken)) db.exec(step);
    db.pragma(`application_id = ${kind.application_id}`);
    db.pragma(`user_version = ${kind.migrations.length}`);
  }).immediate();
}

export function schemaVersion(db: Sqlite.Database): number {
  return pragmaNumber(db, "user_version");
}

export function pragmaNumber(db: Sqlite.Database, name: string): number {
  const value = db.pragma(name, { simple: true });
  if (typeof value !== "number") throw new Error(`reading the pragma "${name}" failed: "${String(value)}" is no number`);
  return value;
}

/** Loaded when the first file is opened: most of what imports this only needs its types. */
function sqlite(): typeof Sqlite {
  return loadNative("better-sqlite3") as typeof Sqlite;
}
