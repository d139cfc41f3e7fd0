/** Small files of the system's own, written so that they last. */

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces `path` so that after a power cut it is the old file or the new one, whole. Makes its folder.
 * @param mode of the new file, whatever the old one had
 * @throws what open(2), write(2) and fsync(2) throw; the old file is then as it was
 */
export function writeDurably(path: string, content: string | Uint8Array, mode = 0o644): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true }); // left by one that was interrupted
  const file = openSync(fresh, "wx", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  syncFolder(folder);
}

/** fsync(2) of a folder: what was made, renamed or removed in it lasts. @throws */
export function syncFolder(path: string): void {
  syncFile(path);
}

/** fsync(2) of a file: what was written to it lasts. @throws */
export function syncFile(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
