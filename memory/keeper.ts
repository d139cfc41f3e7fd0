/**
 * Keeps one usable store: opens it, notices while running that its file is damaged or cannot be written, and says so in
 * words. After damage the service goes on with a new file; after a failed write it goes on reading and tries again.
 */

import { accessSync, constants, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Health } from "../contracts/service.ts";
import { codeOf, describe, isDamage, pragmaNumber, sizeOnDisk } from "../wire/database.ts";
import { syncFile, syncFolder } from "../wire/files.ts";
import { assemble, type Parts } from "./parts.ts";
import { SharedFlush } from "./shared-flush.ts";
import { memory_file } from "./store/migrations.ts";
import { type OpenDatabase, openDatabase, setAside } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { decideRestore, finishRestore } from "./upkeep/backup/restore.ts";
import { ensure, freeName, stagingIn } from "./upkeep/folders.ts";
import { recoverTables } from "./upkeep/recover/tables.ts";

/** Nothing was tried: there is no room. Whoever wanted to write keeps it and tries again. */
class WritesRefused extends Error {
  override readonly name = "WritesRefused";
  /** As SQLite says it. */
  readonly code = "SQLITE_FULL";
}

export class Keeper {
  readonly folder: string;
  /** Told when a write finds the disk full (upkeep/room.ts). */
  onFull: () => void = () => {};
  #refusal: string | null = null;
  #open: OpenDatabase;
  #parts: Parts;
  #write_failure: string | null = null;
  readonly #shared: SharedFlush;
  readonly #first: string | null;

  /** @param first the file that a new memory begins as (store/first.ts), or null: an empty one */
  constructor(folder: string, first: string | null = null) {
    this.folder = folder;
    this.#first = first;
    this.#open = openWhole(folder, first);
    this.#parts = assemble(this.#open.db, this.folder);
    this.#shared = new SharedFlush(this);
  }

  /** The parts of memory over the database that is open now: asked for anew each time, because damage replaces it. */
  get parts(): Parts {
    return this.#parts;
  }

  get store(): Store {
    return this.#parts.store;
  }

  get persistent(): boolean {
    return this.#open.persistent && this.#write_failure === null && this.#refusal === null;
  }

  /** There is a file: memory is not in RAM only. */
  get on_disk(): boolean {
    return this.#open.path !== null;
  }

  get degradation(): string | null {
    return this.#open.degradation ?? this.#refusal ?? this.#write_failure;
  }

  /** Why nothing is written now, or null. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** The parts, to change something. @throws {WritesRefused} */
  get writable(): Parts {
    if (this.#refusal !== null) throw new WritesRefused(this.#refusal);
    return this.#parts;
  }

  /** From now on nothing is written but what makes room. @param reason a sentence for health and for those who write; null: all is written again */
  refuseWrites(reason: string | null): void {
    this.#refusal = reason;
    if (reason === null) this.#write_failure = null;
  }

  /** Limits the file for tests that need it to be full. */
  limitPages(pages: number): void {
    this.#open.db.pragma(`max_page_count = ${pages}`);
  }

  written(): void {
    this.#write_failure = null;
  }

  failed(error: unknown): void {
    if (error instanceof WritesRefused) return;
    const text = error instanceof Error ? error.message : String(error);
    if (isDamage(error) && this.#open.path !== null) {
      this.#replace(text);
      return;
    }
    const full = codeOf(error) === "SQLITE_FULL";
    const todo = full ? "free or enlarge the data partition" : "check the data partition";
    this.#write_failure = `writing memory.db failed: ${text}; what is already written can be read; ${todo}`;
    if (full) this.onFull();
  }

  /** Bytes in the file and its write-ahead log. */
  bytes(): number {
    const { path, db } = this.#open;
    if (path === null) return pragmaNumber(db, "page_count") * pragmaNumber(db, "page_size");
    return sizeOnDisk(path);
  }

  /** Runs a query; damage met in it is dealt with before the error goes on. */
  read<T>(query: (parts: Parts) => T): T {
    try {
      return query(this.#parts);
    } catch (error) {
      if (isDamage(error)) this.failed(error);
      throw error;
    }
  }

  /**
   * Runs a change as one durable transaction, or not at all. @param makes_room it is let through when others are refused
   * @throws {WritesRefused}, or what SQLite says, after it has been noted for health
   */
  write<T>(change: (parts: Parts) => T, { makes_room = false } = {}): T {
    const parts = makes_room ? this.#parts : this.writable;
    try {
      const result = parts.store.commit(() => change(parts));
      this.written();
      return result;
    } catch (error) {
      if (codeOf(error) !== "") this.failed(error);
      throw error;
    }
  }

  /**
   * Runs a change with those of other callers as one durable transaction: each all or not at all, whatever becomes of the
   * others. Resolves when it is durable. @throws as `write`
   */
  share<T>(change: (parts: Parts) => T): Promise<T> {
    return this.#shared.run(change);
  }

  health(held: number, dropped: number): Omit<Health, "resources"> {
    const { events, decisions } = this.#parts.store;
    const lost = dropped === 0 ? "" : `; ${dropped} events lost: more than could be held`;
    return {
      status: this.degradation === null && dropped === 0 ? "ok" : "degraded",
      detail: `${this.degradation ?? `${events} events, ${decisions} decisions`}${lost}`.slice(0, 500),
      facts: { events, decisions, bytes: this.bytes(), persistent: this.persistent, held, dropped, kept_aside: this.#open.kept_aside },
    };
  }

  /** Changes what lies in the folder while no file of it is open, then opens what is there. @throws what `work` throws */
  exchange(work: () => void): void {
    this.#shared.flush();
    this.#open.db.close();
    try {
      work();
    } finally {
      this.#dropScratch();
      this.#open = openWhole(this.folder, this.#first);
      this.#parts = assemble(this.#open.db, this.folder);
      this.#write_failure = null;
    }
  }

  /** Memory is in RAM because its folder could not be written, and now it can. */
  get may_come_back(): boolean {
    return this.#open.waits_for_disk && canWrite(this.folder);
  }

  /**
   * Brings what is in RAM to the disk, in the place of what it is a copy of, in steps that may be killed (upkeep/backup/restore.ts).
   * @throws when there is no room, or the disk cannot be written after all: it goes on in RAM
   */
  bringBack(time: Date): void {
    this.#shared.flush();
    const staging = ensure(stagingIn(this.folder));
    rmSync(join(staging, memory_file.file), { force: true });
    this.#open.db.prepare("VACUUM INTO ?").run(join(staging, memory_file.file));
    syncFile(join(staging, memory_file.file));
    syncFolder(staging);
    const set_aside = freeName(this.folder, "replaced", time);
    decideRestore(this.folder, { name: "what was kept in RAM", set_aside, keeps_damaged: true });
    this.exchange(() => {});
  }

  close(): void {
    this.#shared.flush();
    this.#open.db.close();
    this.#dropScratch();
  }

  #dropScratch(): void {
    if (this.#open.scratch !== null) rmSync(this.#open.scratch, { recursive: true, force: true });
  }

  #replace(damage: string): void {
    const path = this.#open.path ?? "";
    this.#open.db.close();
    let kept: string;
    try {
      kept = setAside(path, damage, new Date());
    } catch (error) {
      kept = `keeping the damaged "${path}" aside failed: ${error instanceof Error ? error.message : String(error)}; check the data partition`;
    }
    const opened = openWhole(dirname(path), this.#first);
    this.#open = { ...opened, degradation: opened.degradation ?? kept };
    this.#parts = assemble(this.#open.db, this.folder);
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(ensure(folder), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Opens memory when a restore that was begun has come to its end. */
function openWhole(folder: string, first: string | null): OpenDatabase {
  let unfinished: string | null = null;
  try {
    finishRestore(folder);
  } catch (error) {
    unfinished = `bringing a restore to its end failed: ${describe(error)}; check the data partition, then restart the service`;
  }
  const open = openDatabase(folder, first);
  try {
    if (open.path !== null) recoverTables(open.db, folder);
  } catch (error) {
    unfinished ??= `copying tables out of a damaged file failed: ${describe(error)}; check the data partition, then restart the service`;
  }
  return unfinished === null ? open : { ...open, degradation: unfinished };
}
