/** The knowledge base: documents in Markdown with YAML front matter, in versions, searched by section. */

import { z } from "zod";
import { Severity } from "../event.ts";
import { method } from "../rpc.ts";
import { CallId, Principal, ToolName } from "../tool.ts";
import { SearchMode } from "./longterm.ts";
import { Taint } from "./record.ts";

/** Also where a document of the image lies: `runbooks/disk-full` is the file `runbooks/disk-full.md`. */
export const DocumentId = z
  .string()
  .max(100)
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}(\/[a-z0-9][a-z0-9._-]{0,63}){0,3}$/,
    "a document is named by parts of a-z 0-9 . _ - joined by /, for example runbooks/disk-full",
  );

export const DocumentKind = z.enum([
  /** What the system is and how it works. */
  "system",
  /** One tool: made from its definition. */
  "tool",
  /** What to do when something is the case. */
  "runbook",
  /** What is to be known of a kind of device. */
  "hardware",
  /** What was learned here: written by tiers and people. */
  "playbook",
]);
export type DocumentKind = z.infer<typeof DocumentKind>;

/** What the id of a document begins with, by its kind: permission goes by the id. */
export const folder_of_kind: Readonly<Record<DocumentKind, string>> = {
  ...{ system: "system/", tool: "tools/", runbook: "runbooks/", hardware: "hardware/", playbook: "playbooks/" },
};

/** What stands in braces in the steps of a document, `{service}`: what to put there, and an example that fits. */
export const Parameter = z.lazy(() =>
  z.strictObject({
    what: z.string().min(1).max(200),
    example: z.union([z.string().max(500), z.number(), z.boolean()]),
  }),
);

/** What stands between the two lines `---` at the top of a document. */
export const FrontMatter = z.lazy(() =>
  z.strictObject({
    title: z.string().min(1).max(120),
    kind: DocumentKind,
    /** In a sentence: what it is about or when to take it. */
    summary: z.string().min(1).max(400),
    /** Parts of the system that it is about: `disk`, `service`, `net`. */
    applies_to: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9._ -]{0,59}$/, "1 to 60 of a-z 0-9 . _ - and blanks"))
      .max(16)
      .default([]),
    /** Tools that its text names. */
    tools: z.array(ToolName).max(64).default([]),
    /** Kinds of events that tell of it. */
    events: z
      .array(z.string().regex(/^[a-z]{2,20}\.[a-z-]{2,30}$/, "a kind of event, for example disk.usage"))
      .max(24)
      .default([]),
    severity: Severity.optional(),
    /** What one sees when it is the case, one sentence each. */
    symptoms: z.array(z.string().min(1).max(300)).max(16).default([]),
    parameters: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, "a parameter is named by a-z 0-9 _"), Parameter).default({}),
  }),
);
export type FrontMatter = z.infer<typeof FrontMatter>;

/** The whole document, front matter and all: at most 64 KiB in UTF-8. */
export const DocumentText = z.string().min(1).max(65_536);

export const Origin = z.enum([
  /** From the image. */
  "shipped",
  /** By a person or a tier. */
  "written",
  /** An earlier version, or that of the image, brought back. */
  "brought-back",
  /** It does not count any more; all versions are kept. */
  "withdrawn",
]);
export type Origin = z.infer<typeof Origin>;

/** One version of a document, without its text. */
export const Version = z.strictObject({
  document: DocumentId,
  version: z.int().min(1),
  /** It is the one that counts. */
  current: z.boolean(),
  origin: Origin,
  sha256: z.string(),
  bytes: z.int(),
  title: z.string(),
  kind: DocumentKind,
  /** Who wrote it: a principal, or `image`. */
  author: z.union([Principal, z.literal("image")]),
  reason: z.string(),
  /** The call that wrote it. */
  call: CallId.nullable(),
  /** Text from outside is in it, from there. */
  taint: Taint,
  time_ms: z.number(),
  /** The version that it brings back. */
  brings_back: z.int().nullable(),
});
export type Version = z.infer<typeof Version>;

/** A document as it is listed. */
export const Listed = Version.extend({
  summary: z.string(),
  applies_to: z.array(z.string()),
  tools: z.array(z.string()),
  /** The image has it too: `reset` brings that back. */
  shipped: z.boolean(),
  /** It counts in place of what the image has. */
  overrides: z.boolean(),
  versions: z.int(),
});
export type Listed = z.infer<typeof Listed>;

export const Shown = z.lazy(() =>
  z.strictObject({
    document: Listed,
    front: FrontMatter,
    /** The version that was asked for, with its front matter; or one section of it. */
    text: z.string(),
    /** Headings of all its sections, in order: `Steps > Free room`. */
    sections: z.array(z.string()),
  }),
);
export type Shown = z.infer<typeof Shown>;

/** All that are given must hold. */
export const KnowledgeFilter = z.strictObject({
  kinds: z.array(DocumentKind).min(1).max(5).optional(),
  /** Names one of these tools. */
  tools: z.array(ToolName).min(1).max(16).optional(),
  /** Tells of one of these kinds of events. */
  events: z.array(z.string().max(60)).min(1).max(16).optional(),
  /** Only what holds no text from outside. */
  untainted: z.boolean().optional(),
});
export type KnowledgeFilter = z.infer<typeof KnowledgeFilter>;

/** A section that was found, and why. */
export const FoundSection = z.lazy(() =>
  z.strictObject({
    document: DocumentId,
    version: z.int(),
    title: z.string(),
    kind: DocumentKind,
    /** `Steps > Free room`; empty: what stands before the first heading. */
    section: z.string(),
    /** Its text, cut. */
    text: z.string(),
    cut: z.boolean(),
    taint: Taint,
    /** Larger is better; comparable within one answer. */
    score: z.number(),
    words: z.strictObject({ rank: z.int(), matched: z.array(z.string()) }).nullable(),
    meaning: z.strictObject({ rank: z.int(), cosine: z.number() }).nullable(),
    why: z.string(),
  }),
);
export type FoundSection = z.infer<typeof FoundSection>;

const Writing = {
  author: Principal,
  reason: z.string().min(1).max(2000),
  call: CallId.nullable(),
  taint: Taint,
};

/** What becomes of a document: a new text, one of its versions again, what the image has again, or nothing. */
export const Change = z.union([
  z.strictObject({ text: DocumentText }),
  z.strictObject({ version: z.int().min(1) }),
  z.strictObject({ reset: z.literal(true) }),
  z.strictObject({ withdraw: z.literal(true) }),
]);
export type Change = z.infer<typeof Change>;

export const knowledge_methods = {
  /** Refused when a document of this id counts, and with line and key of all that is wrong when the text is no document. */
  "knowledge.add": method(() => ({ params: z.strictObject({ id: DocumentId, text: DocumentText, ...Writing }), result: Version })),
  /** Makes a new version. `expected`: refused unless that version counts now. */
  "knowledge.edit": method(() => ({
    params: z.strictObject({ id: DocumentId, change: Change, expected: z.int().min(1).nullable(), ...Writing }),
    result: Version,
  })),
  "knowledge.search": method(() => ({
    params: z.strictObject({
      query: z.string().min(1).max(2000),
      mode: SearchMode,
      filter: KnowledgeFilter,
      limit: z.int().min(1).max(30),
    }),
    result: z.strictObject({
      found: z.array(FoundSection),
      /** How it was searched. */
      mode: SearchMode,
      /** What could not be searched and why, or null. */
      note: z.string().nullable(),
      took_ms: z.number(),
    }),
  })),
  /** Null when there is no such document, version or section. Of one that was withdrawn only by its version. */
  "knowledge.show": method(() => ({
    params: z.strictObject({ id: DocumentId, version: z.int().min(1).nullable(), section: z.string().max(300).nullable() }),
    result: Shown.nullable(),
  })),
  /** By id. */
  "knowledge.list": method(() => ({
    params: z.strictObject({
      kinds: z.array(DocumentKind).min(1).max(5).nullable(),
      prefix: z.string().max(100),
      offset: z.int().min(0),
      limit: z.int().min(1).max(100),
    }),
    result: z.strictObject({ documents: z.array(Listed), total: z.int(), note: z.string().nullable() }),
  })),
  /** Grows with every version that is written: who has read at one revision need not read again until there is another. */
  "knowledge.revision": method(() => ({ params: z.strictObject({}), result: z.strictObject({ revision: z.int().min(0) }) })),
  /** Newest first; also of a document that was withdrawn. */
  "knowledge.history": method(() => ({
    params: z.strictObject({
      id: DocumentId,
      before: z.int().min(1).nullable(),
      limit: z.int().min(1).max(100),
    }),
    result: z.strictObject({ versions: z.array(Version), total: z.int() }),
  })),
} as const;

type KnowledgeMethod = keyof typeof knowledge_methods;

/** What documents say is asked of the broker; whether there is anything new is no secret. */
const may_ask_for_news: readonly KnowledgeMethod[] = ["knowledge.revision"];

export const knowledge_permissions = {
  broker: Object.keys(knowledge_methods) as KnowledgeMethod[],
  ...{ reactive: may_ask_for_news, operational: may_ask_for_news, tactical: may_ask_for_news },
};
