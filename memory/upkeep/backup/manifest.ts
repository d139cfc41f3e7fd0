/** The manifest of a backup: read, and told to callers. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BackupManifest } from "../../../contracts/memory/job.ts";
import type { Backup } from "../../../contracts/memory/upkeep.ts";
import { manifest_file } from "../folders.ts";

export type Manifest = ReturnType<typeof BackupManifest.parse>;

/** @throws when there is none, or none that this version can read */
export function readManifest(backup: string): Manifest {
  const path = join(backup, manifest_file);
  try {
    return BackupManifest.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`reading the manifest "${path}" failed: ${cause}`);
  }
}

export function told(name: string, { made_ms, schema, files, rows }: Manifest): Backup {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { name, made_ms, bytes, schema, segments: files.length - 1, rows };
}
