/**
 * Backup, restore, export, import, cold segments and retention. Files are given by name: memory sees its own folder only
 * (`/var/lib/aios/memory`), and the broker copies between that and other disks (`fs.copy`).
 *
 * Calls that work through all of memory take as long as that takes; one of them runs at a time, further ones are refused
 * with `conflict`. Nothing else waits for them.
 */

import { z } from "zod";

/** A name of a backup or of an exported file: no path. */
export const UpkeepName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/, "a name is up to 80 of a-z 0-9 . _ -, beginning with a letter or a digit");

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Rows by table. */
export const RowCounts = z.record(z.string().max(64), z.number().int().min(0));

export const BackupFile = z.strictObject({ name: z.string().max(100), bytes: z.number().int().min(0), sha256: Sha256 });
export type BackupFile = z.infer<typeof BackupFile>;

/** `manifest.json` of a backup: what it holds, to be compared with what is found. */
export const BackupManifest = z.strictObject({
  form: z.literal(1),
  made_ms: z.number(),
  /** Of memory.db (`user_version`). */
  schema: z.number().int().min(0),
  files: z.array(BackupFile).max(100_000),
  rows: RowCounts,
});
export type BackupManifest = z.infer<typeof BackupManifest>;

export const Backup = z.strictObject({
  name: z.string(),
  made_ms: z.number(),
  bytes: z.number().int(),
  schema: z.number().int(),
  segments: z.number().int(),
  rows: RowCounts,
});
export type Backup = z.infer<typeof Backup>;

export const upkeep_methods = {
  /** A copy of all of memory as it is at one moment, in `backups/<name>/`; answers when it is checked and on the disk. */
  "backup.make": {
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup, took_ms: z.number() }),
  },
  "backup.list": {
    params: z.strictObject({}),
    result: z.strictObject({ backups: z.array(Backup).max(200), unreadable: z.array(z.string()).max(200) }),
  },
  /** Reads all of it: hashes, SQLite's integrity check, rows. */
  "backup.verify": {
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup.nullable(), faults: z.array(z.string()).max(100), took_ms: z.number() }),
  },
  /** Verifies it, then puts it in the place of the present memory, which is kept in the folder `set_aside`. */
  "backup.restore": {
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup, set_aside: z.string(), took_ms: z.number() }),
  },
} as const;

export const upkeep_permissions = {
  broker: ["backup.make", "backup.list", "backup.verify", "backup.restore"],
} as const;
