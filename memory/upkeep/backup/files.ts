/** Files of backups: hashed, copied and flushed in pieces, so that their size does not matter. */

import { createHash } from "node:crypto";
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, linkSync, openSync, readSync, statSync } from "node:fs";

const piece_bytes = 1024 * 1024;

export function sha256Of(path: string): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(piece_bytes);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const read = readSync(file, piece, 0, piece.length, null);
      if (read === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}

export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function flush(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Shares blocks with the original where the file system can. */
export function copyDurably(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  flush(to);
}

/** A file that never changes: a second name for it where the file system can, otherwise a copy. */
export function linkOrCopy(from: string, to: string): void {
  if (existsSync(to)) return;
  try {
    linkSync(from, to);
  } catch {
    copyDurably(from, to);
  }
}
