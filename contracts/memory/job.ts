/** Between the memory service and the helper process that it starts for long work (memory/upkeep/job.ts). */

import { z } from "zod";
import { Backup, BackupManifest, Exported, ExportFilter, RefusedLine, Sha256 } from "./upkeep.ts";

const Place = { folder: z.string(), name: z.string() } as const;

/** What the helper is asked for, as its argument; `folder` is memory's. */
export const Job = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("backup"), ...Place, time_ms: z.number() }),
  z.strictObject({ do: z.literal("verify"), ...Place }),
  /** Verifies and copies to the staging folder. */
  z.strictObject({ do: z.literal("stage"), ...Place }),
  /** Writes a segment of the first `limit` memories from before a time; the service then takes them out of memory.db. */
  z.strictObject({
    do: z.literal("cool"),
    folder: z.string(),
    segment: z.int().min(1),
    before_ms: z.number(),
    /** So many of the newest, in the order of writing, stay in memory.db. */
    keep_newest: z.int().min(0),
    at_least: z.int().min(1),
    limit: z.int().min(1),
  }),
  /** Writes what is still held of a segment into another one, `into`. */
  z.strictObject({ do: z.literal("rewrite"), folder: z.string(), segment: z.int().min(1), into: z.int().min(1) }),
  z.strictObject({ do: z.literal("export"), ...Place, which: ExportFilter, time_ms: z.number() }),
  /** Writes what can be read of a damaged file of the folder, and of the newest backup, into segments from `segment` on. */
  z.strictObject({ do: z.literal("salvage"), folder: z.string(), file: z.string(), segment: z.int().min(1) }),
  /** Trains the classifier of triage on the cases in `folder`, and leaves what came of it there (memory/classifier/job.ts). */
  z.strictObject({ do: z.literal("train"), folder: z.string(), embedding: z.string(), time_ms: z.number() }),
  /** Reads `imports/<name>` through and, when every line is right, writes it as a segment to `imports/.<name>.seg`. */
  z.strictObject({ do: z.literal("import"), ...Place }),
]);
export type Job = z.infer<typeof Job>;

/** Of a segment that was written. */
const WrittenSegment = z.lazy(() =>
  z.strictObject({
    /** `memories.seq` of what is in it. */
    seqs: z.array(z.int()),
    oldest_ms: z.number(),
    newest_ms: z.number(),
    bytes: z.int(),
    plain_bytes: z.int(),
    sha256: Sha256,
  }),
);

export const job_results = {
  backup: Backup,
  verify: z.strictObject({ backup: Backup.nullable(), faults: z.array(z.string()) }),
  stage: Backup,
  cool: WrittenSegment.nullable(),
  /** Null: nothing of it is held any more. */
  rewrite: WrittenSegment.nullable(),
  salvage: z.strictObject({ segments: z.array(z.int()), memories: z.int(), unreadable: z.int() }),
  export: Exported,
  train: z.strictObject({ cases: z.int() }),
  import: z.strictObject({ memories: z.int(), refused: z.array(RefusedLine), refused_lines: z.int() }),
} as const;
export type JobResults = { readonly [K in keyof typeof job_results]: z.infer<(typeof job_results)[K]> };

/** Its lines on stdout. */
export const JobLine = z.union([
  z.strictObject({ progress: z.strictObject({ done: z.number(), of: z.number() }) }),
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ error: z.string() }),
]);

export { BackupManifest };

/** `restore.json`: what a restore that was begun still has to bring to its end, at the next start at the latest. */
export const PendingRestore = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    set_aside: z.string(),
    /** It is the memory that is there and more: what is yet to be taken out of damaged files still belongs to it. */
    keeps_damaged: z.boolean().optional(),
  }),
);
export type PendingRestore = z.infer<typeof PendingRestore>;
