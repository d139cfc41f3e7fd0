/**
 * Rules of retention: what a person has said may be deleted. Without a rule nothing ever is. A rule deletes memories from
 * before a moment, which goes on with the clock; what it deleted leaves a tombstone.
 */

import { z } from "zod";
import { Severity } from "../event.ts";
import { method } from "../rpc.ts";
import { MemoryKind, Tier } from "./record.ts";
import { Sha256 } from "./upkeep.ts";

/** All that are given must hold. */
export const RetentionFilter = z.strictObject({
  /** Whole days, by the wall clock. */
  older_than_days: z.int().min(1).max(36_500),
  kinds: z.array(MemoryKind).min(1).max(8).optional(),
  sources: z.array(z.string().min(1).max(31)).min(1).max(16).optional(),
  tiers: z.array(Tier).min(1).max(4).optional(),
  /** At most as severe. */
  severity_max: Severity.optional(),
});
export type RetentionFilter = z.infer<typeof RetentionFilter>;

/** Rules that hold at once. */
export const retention_rules_max = 32;

const Who = z.string().min(1).max(64);

export const RetentionRule = z.lazy(() =>
  z.strictObject({
    id: z.int().min(1),
    filter: RetentionFilter,
    /** What is from before this moment goes. It follows the clock, at most twice as fast as time passes. */
    cutoff_ms: z.number(),
    set_ms: z.number(),
    set_by: z.string(),
    reason: z.string(),
    /** Null: it holds. */
    ended_ms: z.number().nullable(),
    ended_by: z.string().nullable(),
    /** Memories that it has deleted. */
    deleted: z.int(),
  }),
);
export type RetentionRule = z.infer<typeof RetentionRule>;

/** One step of deleting. */
export const Tombstone = z.lazy(() =>
  z.strictObject({
    id: z.int(),
    rule: z.int(),
    deleted_ms: z.number(),
    memories: z.int().min(1),
    /** The first and the last of them in the order of writing. */
    first_seq: z.int(),
    last_seq: z.int(),
    oldest_ms: z.number(),
    newest_ms: z.number(),
    /** Of a line for each: its place in the order of writing, its id, its time. Who has a copy of what is gone can prove it. */
    sha256: Sha256,
  }),
);
export type Tombstone = z.infer<typeof Tombstone>;

const Runs = z.array(z.tuple([z.int(), z.int().min(1)]));
/** What a step of deleting took, by table: runs of places in the order of writing, each its first and how many. */
export const DeletedRuns = z.lazy(() => z.strictObject({ memories: Runs, events: Runs, decisions: Runs }));

/** What a rule would delete now. */
export const RetentionPreview = z.lazy(() =>
  z.strictObject({
    memories: z.int(),
    /** Of these, in cold segments. */
    cold: z.int(),
    /** Fit the rule and stay, because something rests on them. */
    kept: z.int(),
    oldest_ms: z.number().nullable(),
    newest_ms: z.number().nullable(),
    /** What is from before this moment goes. */
    cutoff_ms: z.number(),
  }),
);
export type RetentionPreview = z.infer<typeof RetentionPreview>;

export const retention_methods = {
  "retention.preview": method(() => ({ params: z.strictObject({ filter: RetentionFilter }), result: RetentionPreview })),
  /** In force when it answers; what fits is deleted step by step. Told twice by the same call it is one rule. */
  "retention.set": method(() => ({
    params: z.strictObject({ filter: RetentionFilter, by: Who, reason: z.string().min(1).max(1000), call: z.string().min(1).max(100) }),
    result: RetentionRule,
  })),
  /** Nothing more is deleted by it. What was, stays deleted. */
  "retention.end": method(() => ({ params: z.strictObject({ id: z.int().min(1), by: Who }), result: RetentionRule })),
  /** Rules, those that hold first, and the newest tombstones. */
  "retention.list": method(() => ({
    params: z.strictObject({ tombstones: z.int().min(0).max(200) }),
    result: z.strictObject({ rules: z.array(RetentionRule).max(200), tombstones: z.array(Tombstone).max(200), deleted: z.int() }),
  })),
} as const;

export const retention_permissions = { broker: ["retention.preview", "retention.set", "retention.end", "retention.list"] } as const;
