/**
 * memory.db as a machine has it before anything happened: the schema, and the documents of the image with their words and
 * vectors. Made when the image is built (memory/knowledge/make-first.ts); writing the same row by row would be half of what
 * the memory service does at a first start.
 */

import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { inspect } from "../../wire/database.ts";
import { writeDurably } from "../../wire/files.ts";
import { memory_file } from "./migrations.ts";

/** In the folder of the image's documents. */
export const first_file = "first.db";

/**
 * Puts a copy where there is no file yet, whole or not at all. Without one that can be used, memory begins empty and comes to
 * the same. @throws when the folder cannot be written
 */
export function takeFirst(path: string, first: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0 || !isUsable(first)) return;
  // of a file that is gone: they would count for this one
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  writeDurably(path, readFileSync(first));
}

function isUsable(first: string): boolean {
  try {
    return existsSync(first) && inspect(first, memory_file) === null;
  } catch {
    return false;
  }
}
