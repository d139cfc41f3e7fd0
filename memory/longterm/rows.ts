/** Writes memories and the texts that they share. Every method runs inside the caller's transaction. */

import { hash } from "node:crypto";
import type Sqlite from "better-sqlite3";
import type { Link, Memory, MemoryOutcome } from "../../contracts/memory/record.ts";
import { severityNumber } from "./filter.ts";
import type { OfHistory } from "./of-history.ts";

const hash_bytes = 16;
/** Texts whose row is known without asking, from the second time on: what happens often is written often, what is new seldom again. */
const known_texts_max = 4096;

interface Held {
  readonly seq: number;
  readonly kind: string;
  readonly source: string;
  readonly outcome: string | null;
  readonly body: string | null;
  readonly taint: string | null;
  readonly text_id: number;
  readonly segment: number | null;
}

type Value = string | number | null;

export class Rows {
  readonly #insert: Sqlite.Statement<[Value[]]>;
  readonly #replace: Sqlite.Statement<Value[]>;
  readonly #outcome: Sqlite.Statement<[string | null, string]>;
  readonly #lesson_outcome: Sqlite.Statement<[string, string, string]>;
  readonly #held: Sqlite.Statement<[string], Held>;
  readonly #text: Sqlite.Statement<[Buffer], { id: number }>;
  readonly #insert_text: Sqlite.Statement<[Buffer, string]>;
  readonly #give_text_back: Sqlite.Statement<[string, number]>;
  readonly #insert_words: Sqlite.Statement<[number | bigint, string]>;
  readonly #link: Sqlite.Statement<[string, string, string]>;
  readonly #unlink: Sqlite.Statement<[string, string, string]>;
  readonly #known = new Map<string, number>();

  constructor(db: Sqlite.Database) {
    this.#insert = db.prepare<[Value[]]>(
      `INSERT INTO memories (id, time_ms, boot_ms, kind, source, severity, tier, tool, service, outcome, text_id, body, taint)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    );
    this.#replace = db.prepare(
      `UPDATE memories SET time_ms = ?, boot_ms = ?, severity = ?, tier = ?, tool = ?, service = ?, outcome = ?, text_id = ?, body = ?,
       taint = ?, segment = NULL WHERE id = ?`,
    );
    this.#outcome = db.prepare("UPDATE memories SET outcome = ? WHERE id = ?");
    this.#lesson_outcome = db.prepare("UPDATE memories SET outcome = ? WHERE id = ? AND kind = 'lesson' AND outcome = ?");
    this.#held = db.prepare("SELECT seq, kind, source, outcome, body, taint, text_id, segment FROM memories WHERE id = ?");
    this.#text = db.prepare("SELECT id FROM texts WHERE hash = ?");
    this.#insert_text = db.prepare("INSERT INTO texts (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING");
    this.#give_text_back = db.prepare("UPDATE texts SET text = ? WHERE id = ? AND text IS NULL");
    this.#insert_words = db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
    this.#link = db.prepare("INSERT INTO links (from_id, relation, to_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#unlink = db.prepare("DELETE FROM links WHERE from_id = ? AND relation = ? AND to_id = ?");
  }

  /** What was written did not come to stay: rows that are known from it are none. */
  rolledBack(): void {
    this.#known.clear();
  }

  /** An event or decision, whose body is its own row. @returns whether it is new; of a known one only the outcome is taken */
  putOfHistory(memory: OfHistory): boolean {
    if (this.#add(memory, null)) return true;
    this.#outcome.run(memory.outcome, memory.id);
    return false;
  }

  /** All else of it stays as it is, where it is. */
  cameTo(id: string, outcome: Memory["outcome"]): void {
    this.#outcome.run(outcome, id);
  }

  /** Of a lesson that says `from`. */
  lessonCameTo(id: string, from: MemoryOutcome, to: MemoryOutcome): void {
    this.#lesson_outcome.run(to, id, from);
  }

  /** @returns whether something changed. One that `refusal` names is left as it is. */
  put(memory: Memory): boolean {
    const body = JSON.stringify(memory.body);
    if (this.#add(memory, body)) return true;
    const held = this.#held.get(memory.id);
    if (held === undefined || refuses(held, memory)) return false;
    const same_body = held.segment === null && held.body === body;
    if (same_body && held.outcome === memory.outcome) return this.#addLinks(memory) > 0;
    const taint = taintColumn([...taintsOf(held.taint), ...memory.taint]);
    const { time_ms, boot_ms, tier, tool, service, outcome } = memory;
    const severity = severityNumber(memory.severity);
    const text_id = this.#textId(memory.text);
    this.#replace.run(time_ms, boot_ms, severity, tier, tool, service, outcome, text_id, body, taint, memory.id);
    this.#addLinks(memory);
    return true;
  }

  /** Why a memory may not take the place of the one that has its id, or null. */
  refusal(memory: Memory): string | null {
    const held = this.#held.get(memory.id);
    if (held === undefined || !refuses(held, memory)) return null;
    return `"${memory.id}" is held already as "${held.kind}" of "${held.source}"`;
  }

  /** @returns whether it is new */
  link(from: string, link: Link): boolean {
    return this.#link.run(from, link.relation, link.to).changes > 0;
  }

  unlink(from: string, link: Link): boolean {
    return this.#unlink.run(from, link.relation, link.to).changes > 0;
  }

  #add(memory: OfHistory, body: string | null): boolean {
    const { id, time_ms, boot_ms, kind, source, tier, tool, service, outcome } = memory;
    const severity = severityNumber(memory.severity);
    const text_id = this.#textId(memory.text);
    const taint = taintColumn(memory.taint);
    const row = [id, time_ms, boot_ms, kind, source, severity, tier, tool, service, outcome, text_id, body, taint];
    if (this.#insert.run(row).changes === 0) return false;
    this.#addLinks(memory);
    return true;
  }

  #addLinks(memory: OfHistory): number {
    return memory.links.filter((link) => this.link(memory.id, link)).length;
  }

  #textId(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const key = hash("sha256", text, "buffer").subarray(0, hash_bytes);
    const added = this.#addText(key, text);
    if (added !== null) return added;
    const held = this.#heldText(key, text);
    if (this.#known.size >= known_texts_max) this.#known.clear();
    this.#known.set(text, held);
    return held;
  }

  /** @returns null when it is held already */
  #addText(key: Buffer, text: string): number | null {
    const { changes, lastInsertRowid } = this.#insert_text.run(key, text);
    if (changes === 0) return null;
    this.#insert_words.run(lastInsertRowid, text);
    return Number(lastInsertRowid);
  }

  #heldText(key: Buffer, text: string): number {
    const held = this.#text.get(key);
    if (held === undefined) throw new Error("writing a memory failed: its text is neither new nor held; check memory.db for damage");
    this.#give_text_back.run(text, held.id);
    return held.id;
  }
}

/** What another service remembered stays its own, and events and decisions are changed by their own methods only. */
function refuses(held: Held, memory: Memory): boolean {
  const of_history = held.body === null && held.segment === null;
  return of_history || held.kind !== memory.kind || held.source !== memory.source;
}

function taintColumn(taint: readonly string[]): string | null {
  if (taint.length === 0) return null;
  return JSON.stringify(taint.length === 1 ? taint : [...new Set(taint)].slice(0, 16));
}

/** As the column holds it: a JSON array of strings that we wrote. */
export function taintsOf(column: string | null): string[] {
  if (column === null) return [];
  const read: unknown = JSON.parse(column);
  return Array.isArray(read) ? read.filter((one) => typeof one === "string") : [];
}
