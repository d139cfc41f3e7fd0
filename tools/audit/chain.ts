/** The chain: each entry's hash covers the hash of the one before it. */

import { createHash } from "node:crypto";
import type { AuditEntry } from "../../contracts/audit.ts";
import { canonicalJson } from "./canonical.ts";

/** Where a chain stands: its newest entry. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first entry. */
export const genesis: Head = { seq: 0, hash: "0".repeat(64) };

/** An entry before it has its number: spelled out once, when it is handed over. */
export interface Unnumbered {
  readonly content: Omit<AuditEntry, "seq" | "previous" | "hash">;
  /** Its canonical JSON before and after the place of the number. */
  readonly before: string;
  readonly after: string;
}

/** @throws {TypeError} when a member is not JSON */
export function unnumbered(content: Unnumbered["content"]): Unnumbered {
  const { status, time_ms, tool, ...before } = content; // sorted, the number stands between these two parts
  return {
    content,
    before: `${canonicalJson(before).slice(0, -1)},"seq":`,
    after: `,${canonicalJson({ status, time_ms, tool }).slice(1)}`,
  };
}

/** The canonical JSON of the entry without its hashes: what is stored and hashed. */
export function contentText({ before, after }: Unnumbered, seq: number): string {
  return `${before}${seq}${after}`;
}

/** `printf %s%s PREVIOUS CONTENT | sha256sum` gives the same. */
export function entryHash(previous: string, content_text: string): string {
  return createHash("sha256").update(previous).update(content_text).digest("hex");
}
