/**
 * One memory: something that happened, was decided, done, said or learned, in the one form in which all of it is searched.
 * Events and decisions have a form of their own as well (../event.ts, ../decision.ts), which `body` then holds.
 */

import { z } from "zod";
import { EventId, Severity } from "../event.ts";

/** `<boot>-<source>-<sequence>`, as events have it: unique over all boots and all kinds of memory. */
export const MemoryId = EventId;

export const MemoryKind = z.enum(["event", "decision", "action", "conversation", "incident", "goal", "note", "lesson"]);
export type MemoryKind = z.infer<typeof MemoryKind>;

/** What came of it. */
export const MemoryOutcome = z.enum(["pending", "worked", "no-effect", "worse", "failed", "refused", "undone"]);
export type MemoryOutcome = z.infer<typeof MemoryOutcome>;

/** What one memory is to another: `from` is the one that holds the link. */
export const Relation = z.enum(["caused-by", "based-on", "part-of", "answers", "undoes", "learned-from", "about"]);
export type Relation = z.infer<typeof Relation>;

export const Link = z.strictObject({ relation: Relation, to: MemoryId });
export type Link = z.infer<typeof Link>;

/** Where text from outside came from: `log:nginx`, `net:203.0.113.9`, `tool:net.http`. Empty: nothing in it is from outside. */
export const Taint = z.array(z.string().min(1).max(120)).max(16);
export type Taint = z.infer<typeof Taint>;

export const Tier = z.enum(["reactive", "operational", "tactical", "strategic"]);

export const Memory = z.strictObject({
  id: MemoryId,
  /** Wall clock, milliseconds since 1970. May step; `boot_ms` (CLOCK_BOOTTIME) orders within one boot. */
  time_ms: z.number(),
  boot_ms: z.number(),
  kind: MemoryKind,
  /** Who remembered it: a service of ours. */
  source: z.string().max(31),
  severity: Severity,
  /** The tier that decided or acted, or null. */
  tier: Tier.nullable(),
  /** The tool that was called, or null. */
  tool: z.string().max(100).nullable(),
  /** The service (unit) that it is about, or null. */
  service: z.string().max(100).nullable(),
  outcome: MemoryOutcome.nullable(),
  /** In words: what is searched by word and by meaning. */
  text: z.string().min(1).max(8192),
  /** What a program needs of it: at most 64 KiB as JSON. */
  body: z.record(z.string(), z.json()),
  taint: Taint,
  links: z.array(Link).max(64),
});
export type Memory = z.infer<typeof Memory>;

/** A memory as it comes back. */
export const Recalled = Memory.extend({
  /** A person said that it is to be found first. */
  pinned: z.boolean(),
  /** Why it is not to be relied on (and is left out of searches unless asked for), or null. */
  quarantined: z.string().max(500).nullable(),
  /** How often it was recalled for a decision, and how often that decision worked. */
  used: z.int(),
  useful: z.int(),
});
export type Recalled = z.infer<typeof Recalled>;
