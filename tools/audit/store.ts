/** The rows of audit.db: adding to the chain, reading it, and the index of its words. */

import type Sqlite from "better-sqlite3";
import { AuditEntry, type AuditQuery } from "../../contracts/audit.ts";
import { contentText, entryHash, genesis, type Head, type Unnumbered } from "./chain.ts";
import { selectionOf } from "./query.ts";

interface Row {
  readonly previous: string;
  readonly hash: string;
  readonly content: string;
}

export interface ChainRow extends Row {
  readonly seq: number;
  readonly kind: string | null;
  /** The number that the hashed text gives. */
  readonly own_seq: number | null;
}

/** Characters of entries that one answer holds, below the 256 KiB of a frame. */
const answer_chars_max = 200_000;

export class AuditStore {
  readonly #db: Sqlite.Database;
  readonly #insert: Sqlite.Statement<[number, string, string, string]>;
  readonly #of_call: Sqlite.Statement<[string], Row>;
  readonly #slice: Sqlite.Statement<[number, number, number], ChainRow>;
  #head: Head;
  /** As the database was opened. */
  #durable = true;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#insert = db.prepare("INSERT INTO entries (seq, previous, hash, content) VALUES (?, ?, ?, ?)");
    this.#of_call = db.prepare("SELECT previous, hash, content FROM entries WHERE call = ? ORDER BY seq");
    this.#slice = db.prepare(
      `SELECT seq, previous, hash, content, kind, content ->> '$.seq' AS own_seq FROM entries
       WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
    );
    this.#head = db.prepare<[], Head>("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").get() ?? genesis;
  }

  get head(): Head {
    return this.#head;
  }

  /** Adds all of them to the chain in one transaction, or none. @param durable false: it outlives this process, but not the power */
  add(items: readonly Unnumbered[], durable: boolean): AuditEntry[] {
    if (durable !== this.#durable) this.#db.pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
    this.#durable = durable;
    let head = this.#head;
    const addOne = (item: Unnumbered): AuditEntry => {
      const seq = head.seq + 1;
      const previous = head.hash;
      const text = contentText(item, seq);
      head = { seq, hash: entryHash(previous, text) };
      this.#insert.run(seq, previous, head.hash, text);
      return { ...item.content, seq, previous, hash: head.hash };
    };
    const entries = this.#db.transaction(() => items.map(addOne)).immediate();
    this.#head = head;
    return entries;
  }

  /** Newest first, as many as fit into an answer, at least one. */
  query(query: AuditQuery): AuditEntry[] {
    if (query.text !== null) while (this.indexWords(10_000) > 0);
    const { where, values } = selectionOf(query);
    const rows = this.#db.prepare<unknown[], Row>(
      `SELECT previous, hash, content FROM entries
       WHERE seq IN (SELECT seq FROM entries WHERE ${where} ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC`,
    );
    const entries: AuditEntry[] = [];
    let chars = 0;
    for (const row of rows.iterate(...values, query.limit)) {
      chars += row.content.length;
      if (chars > answer_chars_max && entries.length > 0) break;
      const entry = entryOf(row);
      if (entry !== null) entries.push(entry);
    }
    return entries;
  }

  ofCall(call: string): AuditEntry[] {
    return this.#of_call.all(call).flatMap((row) => entryOf(row) ?? []);
  }

  /** Outcomes after this entry, oldest first, without those of calls that only looked. */
  outcomesAfter(seq: number, limit: number): AuditEntry[] {
    const rows = this.#db.prepare<[number, number], Row>(
      `SELECT previous, hash, content FROM entries AS outcome WHERE seq > ? AND kind = 'outcome' AND (status IS NOT 'done'
         OR EXISTS (SELECT 1 FROM entries WHERE call = outcome.call AND seq < outcome.seq AND kind = 'intent'))
       ORDER BY seq LIMIT ?`,
    );
    return rows.all(seq, limit).flatMap((row) => entryOf(row) ?? []);
  }

  /** Calls with an intent and no outcome, in the order of their intents. */
  openCalls(): string[] {
    const rows = this.#db.prepare<[], { call: string }>(
      "SELECT call FROM open_calls ORDER BY (SELECT min(seq) FROM entries WHERE entries.call = open_calls.call)",
    );
    return rows.all().map(({ call }) => call);
  }

  /** The highest number of a call whose id begins with `start`; 0 when there is none. */
  highestCallNumber(start: string): number {
    const row = this.#db
      .prepare<[number, string, string], { highest: number | null }>(
        "SELECT max(CAST(substr(call, ?) AS INTEGER)) AS highest FROM entries WHERE call >= ? AND call < ?",
      )
      .get(start.length + 1, start, `${start}\u{10FFFF}`);
    return row?.highest ?? 0;
  }

  /** Rows as they are stored, whatever is in them. */
  slice(after_seq: number, until_seq: number, limit: number): ChainRow[] {
    return this.#slice.all(after_seq, until_seq, limit);
  }

  hashAt(seq: number): string | null {
    return this.#db.prepare<[number], { hash: string }>("SELECT hash FROM entries WHERE seq = ?").get(seq)?.hash ?? null;
  }

  /** Numbers of entries of this range that the index of resources does not find, or finds where they are not. */
  misindexed(after_seq: number, until_seq: number): number[] {
    const rows = this.#db.prepare<[number, number], { seq: number }>(
      `SELECT DISTINCT e.seq FROM entries e, json_each(e.content, '$.resources') r WHERE e.seq > ? AND e.seq <= ?
       AND NOT EXISTS (SELECT 1 FROM resources WHERE resources.id = r.value ->> '$.id' AND resources.seq = e.seq)`,
    );
    return rows.all(after_seq, until_seq).map(({ seq }) => seq);
  }

  /** Entries whose words are not in the index yet. */
  get unindexed(): number {
    return this.#head.seq - this.#wordsUntil();
  }

  /** Takes the words of up to `limit` more entries into the index. @returns of how many */
  indexWords(limit: number): number {
    const from = this.#wordsUntil();
    const until = Math.min(this.#head.seq, from + limit);
    if (until === from) return 0;
    this.#db
      .transaction(() => {
        this.#db.prepare(index_words).run(from, until);
        this.#db.prepare("UPDATE words_state SET seq = ?").run(until);
      })
      .immediate();
    return until - from;
  }

  #wordsUntil(): number {
    return this.#db.prepare<[], { seq: number }>("SELECT seq FROM words_state").get()?.seq ?? 0;
  }
}

const words_below = (path: string): string =>
  `coalesce((SELECT group_concat(atom, ' ') FROM json_tree(entries.content, '${path}') WHERE type IN ('text', 'integer')), '')`;

/** What a person would search for: the reason, what the kind needs besides (arguments, outcome), and what was touched. */
const index_words = `INSERT INTO words (rowid, text)
  SELECT seq, ${["$.reason", "$.body", "$.resources"].map(words_below).join(" || ' ' || ")}
  FROM entries WHERE seq > ? AND seq <= ?`;

/** A row that this version cannot read stays where it is and is left out; `verify` names it. */
function entryOf({ previous, hash, content }: Row): AuditEntry | null {
  const parsed = AuditEntry.safeParse({ ...objectOf(content), previous, hash });
  return parsed.success ? parsed.data : null;
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
