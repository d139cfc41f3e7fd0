/** Long-term memory: everything, found by meaning and by word. */

import { z } from "zod";
import { Severity } from "../event.ts";
import { method } from "../rpc.ts";
import { Link, Memory, MemoryId, MemoryKind, MemoryOutcome, Recalled, Tier } from "./record.ts";
import { DiskState } from "./upkeep.ts";

/** All that are given must hold. */
export const MemoryFilter = z.strictObject({
  since_ms: z.number().optional(),
  until_ms: z.number().optional(),
  kinds: z.array(MemoryKind).min(1).max(8).optional(),
  sources: z.array(z.string().max(31)).min(1).max(16).optional(),
  tiers: z.array(Tier).min(1).max(4).optional(),
  tools: z.array(z.string().max(100)).min(1).max(32).optional(),
  services: z.array(z.string().max(100)).min(1).max(32).optional(),
  outcomes: z.array(MemoryOutcome).min(1).max(7).optional(),
  /** At least as severe. */
  severity_min: Severity.optional(),
  /** Only what holds no text from outside. */
  untainted: z.boolean().optional(),
  /** Also what is in quarantine. */
  quarantined: z.boolean().optional(),
});
export type MemoryFilter = z.infer<typeof MemoryFilter>;

export const SearchMode = z.enum(["hybrid", "words", "meaning"]);
export type SearchMode = z.infer<typeof SearchMode>;

/** Why a memory was found. */
export const Found = z.lazy(() =>
  z.strictObject({
    memory: Recalled,
    /** How well it answers by meaning and by word, weighed by recency and usefulness: larger is better; comparable within one answer. */
    score: z.number(),
    /** Its rank by word (BM25) from 1, and the words of the question that it holds; null: not found by word. */
    words: z.strictObject({ rank: z.int(), matched: z.array(z.string()) }).nullable(),
    /** Its rank by meaning from 1, and the cosine of the two vectors; null: not found by meaning. */
    meaning: z.strictObject({ rank: z.int(), cosine: z.number() }).nullable(),
    /** Factors of the prior. */
    recency: z.number(),
    usefulness: z.number(),
    /** The same in words, for people and models. */
    why: z.string(),
  }),
);
export type Found = z.infer<typeof Found>;

export const SearchAnswer = z.strictObject({
  found: z.array(Found),
  /** How it was searched: `words` when there is no embedding model or it was not ready in time. */
  mode: SearchMode,
  /** What could not be searched and why (no model, vectors still being made, a damaged segment), or null. */
  note: z.string().nullable(),
  took_ms: z.number(),
});
export type SearchAnswer = z.infer<typeof SearchAnswer>;

export const longterm_methods = {
  /** Answers when durable. Those already held, by id, are not written twice; one with a new `outcome` or `body` replaces it. */
  append: method(() => ({
    params: z.strictObject({ memories: z.array(Memory).min(1).max(200) }),
    result: z.strictObject({ written: z.int() }),
  })),
  search: method(() => ({
    params: z.strictObject({
      query: z.string().min(1).max(2000),
      mode: SearchMode,
      filter: MemoryFilter,
      limit: z.int().min(1).max(50),
    }),
    result: SearchAnswer,
  })),
  /** By id, in the order asked for; those that are not known are left out. */
  recall: method(() => ({
    params: z.strictObject({ ids: z.array(MemoryId).min(1).max(50) }),
    result: z.array(Recalled),
  })),
  /** What was before and after one memory or one moment, oldest first. */
  timeline: method(() => ({
    params: z.strictObject({
      around: z.union([MemoryId, z.number()]),
      before: z.int().min(0).max(100),
      after: z.int().min(0).max(100),
      filter: MemoryFilter,
    }),
    result: z.strictObject({ memories: z.array(Recalled), note: z.string().nullable() }),
  })),
  /** Those already there stay as they are. */
  link: method(() => ({ params: z.strictObject({ from: MemoryId, link: Link }), result: z.strictObject({ added: z.boolean() }) })),
  /** Only to take back a link that a call added: the audit keeps that there was one. */
  unlink: method(() => ({ params: z.strictObject({ from: MemoryId, link: Link }), result: z.strictObject({ removed: z.boolean() }) })),
  /** Everything that one memory led to or came from, over links, nearest first. */
  trace: method(() => ({
    params: z.strictObject({ id: MemoryId, direction: z.enum(["influenced", "influenced-by"]), limit: z.int().min(1).max(500) }),
    result: z.strictObject({
      reached: z.array(z.strictObject({ id: MemoryId, over: Link.shape.relation, from: MemoryId, depth: z.int() })),
      truncated: z.boolean(),
    }),
  })),
  pin: method(() => ({ params: z.strictObject({ id: MemoryId, pinned: z.boolean() }), result: z.strictObject({ was: z.boolean() }) })),
  /** Puts one, and with `influenced` all that rests on it, in quarantine, or (reason null) takes them out. */
  quarantine: method(() => ({
    params: z.strictObject({ id: MemoryId, reason: z.string().min(1).max(500).nullable(), influenced: z.boolean() }),
    result: z.strictObject({ changed: z.array(MemoryId) }),
  })),
  /** Tells that a decision used these, and later whether it worked. */
  used: method(() => ({
    params: z.strictObject({ ids: z.array(MemoryId).min(1).max(50), worked: z.boolean().nullable() }),
    result: z.strictObject({}),
  })),
  stats: method(() => ({
    params: z.strictObject({}),
    result: z.strictObject({
      memories: z.int(),
      by_kind: z.record(z.string(), z.int()),
      oldest_ms: z.number().nullable(),
      newest_ms: z.number().nullable(),
      /** Distinct texts, and how many of them have a vector. */
      texts: z.int(),
      vectors: z.int(),
      model: z.string().nullable(),
      /** Bytes of memory.db with its log, and of cold segments. */
      bytes: z.number(),
      segments: z.int(),
      segment_bytes: z.number(),
      quarantined: z.int(),
      pinned: z.int(),
      tainted: z.int(),
      disk: DiskState,
    }),
  })),
} as const;

export const longterm_permissions = {
  reactive: ["append", "used"],
  operational: ["append", "used"],
  tactical: ["append", "used"],
  strategic: ["append", "used"],
  broker: ["append", "search", "recall", "timeline", "link", "unlink", "trace", "pin", "quarantine", "used", "stats"],
} as const;
