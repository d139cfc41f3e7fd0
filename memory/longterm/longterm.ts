/** The part of memory that holds everything and finds it. What writes runs inside the caller's transaction. */

import type Sqlite from "better-sqlite3";
import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import type { Memory, Recalled } from "../../contracts/memory/record.ts";
import { carryOver } from "./carry-over.ts";
import { check } from "./check.ts";
import { type Cold, no_cold } from "./cold.ts";
import { Links } from "./links.ts";
import { pin, used } from "./marks.ts";
import { memoryOfDecision, memoryOfEvent } from "./of-history.ts";
import { Recall } from "./recall.ts";
import { Rows } from "./rows.ts";
import { type Answer, type Question, Search } from "./search.ts";
import { type Counted, statsOf } from "./stats.ts";
import { type Around, timelineIds } from "./timeline.ts";
import { Vectors } from "./vectors.ts";
import { Words } from "./words.ts";

export class LongTerm {
  readonly #db: Sqlite.Database;
  readonly #cold: Cold;
  readonly #rows: Rows;
  readonly #recall: Recall;
  readonly #search: Search;
  readonly links: Links;
  readonly vectors: Vectors;

  constructor(db: Sqlite.Database, cold: Cold = no_cold) {
    this.#db = db;
    this.#cold = cold;
    this.#rows = new Rows(db);
    this.#recall = new Recall(db, cold);
    this.vectors = new Vectors(db);
    this.#search = new Search(db, new Words(db), this.vectors, this.#recall);
    this.links = new Links(db);
  }

  /** Every event and decision is a memory too, from the transaction on that writes it. */
  event(event: Event): void {
    this.#rows.putOfHistory(memoryOfEvent(event));
  }

  decision(decision: Decision): void {
    this.#rows.putOfHistory(memoryOfDecision(decision));
  }

  /** People said something else of it since: what it came to, and what was learned from it. */
  cameTo(decision: Decision): void {
    const { id, outcome } = memoryOfDecision(decision);
    this.#rows.cameTo(id, outcome);
    const [from, to] = outcome === "undone" ? (["worked", "undone"] as const) : (["undone", "worked"] as const);
    for (const lesson of this.links.naming(id, "learned-from")) this.#rows.lessonCameTo(lesson, from, to);
  }

  committed(): void {
    this.vectors.committed();
  }

  rolledBack(): void {
    this.#rows.rolledBack();
    this.vectors.rolledBack();
  }

  /** Memories were taken out (memory/retention/): rows of texts that are known from before may be gone. */
  forgot(): void {
    this.#rows.rolledBack();
  }

  /** @returns whether something is new or changed */
  put(memory: Memory): boolean {
    return this.#rows.put(memory);
  }

  /** Why this memory would not be taken, or null. */
  refusal(memory: Memory): string | null {
    return this.#rows.refusal(memory);
  }

  link(from: string, link: Memory["links"][number]): boolean {
    return this.#rows.link(from, link);
  }

  /** @returns whether there was one */
  unlink(from: string, link: Memory["links"][number]): boolean {
    return this.#rows.unlink(from, link);
  }

  /** @returns how many events and decisions of an older schema are still to become memories */
  carryOver(limit: number): number {
    return carryOver(this.#db, this.#rows, limit);
  }

  carryOverLeft(): number {
    const left = this.#db.prepare<[], { n: number }>("SELECT coalesce(sum(upto - done), 0) AS n FROM carry_over");
    return left.get()?.n ?? 0;
  }

  holds(id: string): boolean {
    return this.#db.prepare("SELECT 1 FROM memories WHERE id = ?").get(id) !== undefined;
  }

  recall(ids: readonly string[]): Recalled[] {
    return this.#recall.byIds(ids);
  }

  search(question: Question): Answer {
    return this.#search.search(question);
  }

  /** @returns null when there is no such memory */
  timeline(around: Around): Recalled[] | null {
    const ids = timelineIds(this.#db, around);
    return ids === null ? null : this.#recall.byIds(ids);
  }

  pin(id: string, pinned: boolean): boolean | null {
    return pin(this.#db, id, pinned);
  }

  used(ids: readonly string[], worked: boolean | null): void {
    used(this.#db, ids, worked);
  }

  stats(bytes: number): Counted {
    return statsOf(this.#db, this.vectors, bytes);
  }

  /** What cannot be read now of what is cold, or null. */
  get cold_degradation(): string | null {
    const said = [...this.#cold.damaged.values()];
    return said.length === 0 ? null : said.slice(0, 3).join("; ");
  }

  /** Texts to make vectors of, newest first; the text of one that is cold comes from its segment. */
  toEmbed(limit: number): { id: number; text: string | null }[] {
    return this.vectors.waiting(limit).map(({ id, text }) => ({ id, text: text ?? this.#coldText(id) }));
  }

  /** What does not agree between rows and indexes; empty when all is well. Reads everything. */
  check(): string[] {
    return check(this.#db);
  }

  #coldText(text_id: number): string | null {
    const row = this.#db
      .prepare<[number], { id: string; segment: number }>(
        "SELECT id, segment FROM memories WHERE text_id = ? AND segment IS NOT NULL LIMIT 1",
      )
      .get(text_id);
    return row === undefined ? null : (this.#cold.read(row.segment, row.id)?.text ?? null);
  }
}
