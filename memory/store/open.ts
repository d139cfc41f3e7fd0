/**
 * Opens memory.db, whatever state it is in.
 *
 *   usable                       → used
 *   missing                      → made: as the image has it for a first start, or empty
 *   damaged, or not a memory     → renamed to `memory-damaged-<time>.db`, a new one is made
 *   written by a later version   → left alone; memory is in RAM only until that version runs again
 *   folder missing or read-only  → memory is in RAM only, with a copy of what is on the disk, if that fits
 */

import { mkdirSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { describe, FromTheFuture, inspect, keptAside, moveAside, openFile, openInRam, outlivesPower } from "../../wire/database.ts";
import { takeFirst } from "./first.ts";
import { memory_file } from "./migrations.ts";
import { copyToRam } from "./scratch.ts";

/**
 * KiB of pages that are held. A group of events touches some hundred pages of a dozen B-trees; with less than they need,
 * pages are written to the log and read back within one transaction (5 kB an event instead of 2).
 */
const cache_kib_max = 16 * 1024;
/** Of a small machine: a hundredth and a half. */
const cache_ratio = 1 / 64;
/** Pages of the write-ahead log that are carried over to the file at once: pages that change again and again go over once. */
const log_pages_max = 4000;
const page_bytes = 4096;
/** Of a small disk: what the log holds needs as much room again when it goes into the file. */
const log_ratio = 1 / 64;

export interface OpenDatabase {
  readonly db: Sqlite.Database;
  /** The file, or null when memory is in RAM only. */
  readonly path: string | null;
  /** What is written outlives the power. */
  readonly persistent: boolean;
  /** What does not work and what to do, or null. */
  readonly degradation: string | null;
  /** It is in RAM because the folder cannot be written: it goes there when that changes. */
  readonly waits_for_disk: boolean;
  /** Where the copy is that stands for the file, or null. */
  readonly scratch: string | null;
  /** Damaged files that are kept in the folder. */
  readonly kept_aside: number;
}

/** @param first the file that a new memory begins as, or null: an empty one */
export function openDatabase(folder: string, first: string | null = null, now: () => Date = () => new Date()): OpenDatabase {
  const path = join(folder, memory_file.file);
  let degradation: string | null = null;
  try {
    mkdirSync(folder, { recursive: true });
    const damage = inspect(path, memory_file);
    if (damage !== null) degradation = setAside(path, damage, now());
    if (first !== null) takeFirst(path, first);
    const db = openFile(path, memory_file);
    db.pragma(`cache_size = -${Math.min(cache_kib_max, Math.floor((totalmem() / 1024) * cache_ratio))}`);
    db.pragma(`wal_autocheckpoint = ${Math.floor(logBytes(folder) / page_bytes)}`);
    return {
      ...{ db, path, persistent: outlivesPower(folder), degradation, waits_for_disk: false, scratch: null },
      kept_aside: keptAside(path),
    };
  } catch (error) {
    const waits_for_disk = !(error instanceof FromTheFuture);
    const scratch = waits_for_disk ? copyToRam(path) : null;
    return {
      db: scratch?.db ?? openInRam(memory_file),
      path: null,
      persistent: false,
      degradation: inRamBecause(path, error, scratch !== null),
      waits_for_disk,
      scratch: scratch?.folder ?? null,
      kept_aside: keptAside(path),
    };
  }
}

/** How large the write-ahead log becomes on the disk of this folder. */
export function logBytes(folder: string): number {
  const { blocks, bsize } = statfsSync(folder);
  return Math.min(log_pages_max * page_bytes, blocks * bsize * log_ratio);
}

/** Renames the file and what belongs to it. @returns the sentence for health. @throws when the folder is read-only */
export function setAside(path: string, damage: string, time: Date): string {
  const kept = moveAside(path, time);
  return `opening "${path}" failed: ${damage}; it is kept as "${kept}" and a new memory was begun: recover what is needed from it`;
}

function inRamBecause(path: string, error: unknown, has_copy: boolean): string {
  const todo =
    error instanceof FromTheFuture
      ? "the file was not touched: boot the version that wrote it"
      : "check the data partition: what is new goes there as soon as it can be written";
  const there = has_copy ? "what is on the disk can be read, what is new is in RAM only" : "memory is in RAM only";
  return `opening "${path}" for writing failed: ${describe(error)}; ${there} and lost at power-off; ${todo}`;
}
