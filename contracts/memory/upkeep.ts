/**
 * Backup, restore, export, import, cold segments and retention. Files are given by name: memory sees its own folder only
 * (`/var/lib/aios/memory`), and the broker copies between that and other disks (`fs.copy`).
 *
 * Calls that work through all of memory take as long as that takes; one of them runs at a time, further ones are refused
 * with `conflict`. Nothing else waits for them.
 */

import { z } from "zod";
import { method } from "../rpc.ts";
import { MemoryKind } from "./record.ts";

/** A name of a backup or of an exported file: no path. */
export const UpkeepName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/, "a name is up to 80 of a-z 0-9 . _ -, beginning with a letter or a digit");

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Rows by table. */
export const RowCounts = z.record(z.string().max(64), z.int().min(0));

export const BackupFile = z.lazy(() => z.strictObject({ name: z.string().max(100), bytes: z.int().min(0), sha256: Sha256 }));
export type BackupFile = z.infer<typeof BackupFile>;

/** `manifest.json` of a backup: what it holds, to be compared with what is found. */
export const BackupManifest = z.lazy(() =>
  z.strictObject({
    form: z.literal(1),
    made_ms: z.number(),
    /** Of memory.db (`user_version`). */
    schema: z.int().min(0),
    files: z.array(BackupFile).max(100_000),
    rows: RowCounts,
  }),
);
export type BackupManifest = z.infer<typeof BackupManifest>;

export const Backup = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    made_ms: z.number(),
    bytes: z.int(),
    schema: z.int(),
    segments: z.int(),
    rows: RowCounts,
  }),
);
export type Backup = z.infer<typeof Backup>;

/** Of the tool memory.backups. */
export const BackupsAnswer = z.lazy(() =>
  z.strictObject({
    backups: z.array(Backup),
    unreadable: z.array(z.string()).describe("those whose own list of contents cannot be read"),
    faults: z.array(z.string()).nullable().describe("what is wrong with the one that was read; none: it is whole; null: none was read"),
  }),
);
export type BackupsAnswer = z.infer<typeof BackupsAnswer>;

export const ExportFilter = z.lazy(() =>
  z.strictObject({
    since_ms: z.number().optional(),
    until_ms: z.number().optional(),
    kinds: z.array(MemoryKind).min(1).max(8).optional(),
  }),
);
export type ExportFilter = z.infer<typeof ExportFilter>;

/** First line of an exported file. */
export const ExportHead = z.lazy(() => z.strictObject({ aios_memory: z.literal(1), made_ms: z.number() }));
/** Its last line: what was written between the two, to be compared with what is read. */
export const ExportEnd = z.lazy(() => z.strictObject({ end: z.strictObject({ memories: z.int().min(0), sha256: Sha256 }) }));

export const Exported = z.lazy(() =>
  z.strictObject({
    /** In `exports/`. */
    file: z.string(),
    memories: z.int(),
    /** Memories that could not be read (a damaged segment) and are not in it. */
    unreadable: z.int(),
    bytes: z.int(),
  }),
);
export type Exported = z.infer<typeof Exported>;
export const RefusedLine = z.lazy(() => z.strictObject({ line: z.int(), reason: z.string().max(500) }));
export type RefusedLine = z.infer<typeof RefusedLine>;

export const Segment = z.lazy(() =>
  z.strictObject({
    id: z.int(),
    memories: z.int(),
    oldest_ms: z.number(),
    newest_ms: z.number(),
    bytes: z.int(),
    /** What it holds, as JSON. */
    plain_bytes: z.int(),
  }),
);
export type Segment = z.infer<typeof Segment>;

/** What a full disk came to, the last time. */
export const RoomMade = z.lazy(() =>
  z.strictObject({
    at_ms: z.number(),
    took_ms: z.number(),
    /** Moved into segments. */
    memories: z.int(),
    segments: z.int(),
    /** By rules of retention, because that was not enough. */
    deleted: z.int(),
    /** What memory takes less on the disk. */
    won_bytes: z.number(),
    free_bytes: z.number(),
    /** Whether writing went on. */
    resumed: z.boolean(),
  }),
);
export type RoomMade = z.infer<typeof RoomMade>;

export const DiskState = z.lazy(() =>
  z.strictObject({
    free_bytes: z.number(),
    size_bytes: z.number(),
    /** Kept for when it is full; 0: none is. */
    reserve_bytes: z.number(),
    /** Why nothing is written now, or null. */
    refusing: z.string().nullable(),
    /** Null: it was not full since the start. */
    room_made: RoomMade.nullable(),
  }),
);
export type DiskState = z.infer<typeof DiskState>;

export const upkeep_methods = {
  /** A copy of all of memory as it is at one moment, in `backups/<name>/`; answers when it is checked and on the disk. */
  "backup.make": method(() => ({
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup, took_ms: z.number() }),
  })),
  "backup.list": method(() => ({
    params: z.strictObject({}),
    result: z.strictObject({ backups: z.array(Backup).max(200), unreadable: z.array(z.string()).max(200) }),
  })),
  /** Reads all of it: hashes, SQLite's integrity check, rows. */
  "backup.verify": method(() => ({
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup.nullable(), faults: z.array(z.string()).max(100), took_ms: z.number() }),
  })),
  /** Verifies it, then puts it in the place of the present memory, which is kept in the folder `set_aside`. */
  "backup.restore": method(() => ({
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({ backup: Backup, set_aside: z.string(), took_ms: z.number() }),
  })),
  /** Memories as JSON lines (zstd) in `exports/<name>.jsonl.zst`, oldest first, each whole. */
  export: method(() => ({
    params: z.strictObject({ name: UpkeepName, filter: ExportFilter }),
    result: z.strictObject({ exported: Exported, took_ms: z.number() }),
  })),
  /**
   * Takes in the file `imports/<name>` (JSON lines; plain, gzip or zstd), as `export` writes it. A line that is wrong
   * refuses the whole file, with the numbers of such lines; then nothing is written. What is known by id is left as it is.
   * Everything that comes in is tainted with `import:<name>`; pins and uses are not taken over, quarantine is.
   */
  import: method(() => ({
    params: z.strictObject({ name: UpkeepName }),
    result: z.strictObject({
      read: z.int(),
      written: z.int(),
      refused: z.array(RefusedLine).max(100),
      /** All of them, also those that `refused` has no room for. */
      refused_lines: z.int(),
      took_ms: z.number(),
    }),
  })),
  "segments.list": method(() => ({
    params: z.strictObject({}),
    result: z.strictObject({ segments: z.array(Segment).max(1000), damaged: z.array(z.string()).max(100) }),
  })),
  /** Moves what is older out of memory.db now, oldest first, at most `limit` memories. */
  "segments.move": method(() => ({
    params: z.strictObject({ older_than_days: z.number().min(0).max(36_500), limit: z.int().min(1).max(20_000) }),
    result: z.strictObject({ moved: z.int(), segment: Segment.nullable(), took_ms: z.number() }),
  })),
} as const;

export const upkeep_permissions = {
  broker: ["backup.make", "backup.list", "backup.verify", "backup.restore", "export", "import", "segments.list", "segments.move"],
} as const;
