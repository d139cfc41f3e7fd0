/**
 * Search by word: BM25 (FTS5), bounded so that a word which is everywhere does not make a question slow.
 *
 * Terms that are in few texts find: every text with any of them is scored by BM25 over those terms. Terms that are in many
 * only weigh: a text found so gets their inverse document frequency added when it holds them. When all terms are frequent,
 * the texts that hold all of them are taken, newest first, and when there are too few, without the most frequent one.
 */

import type Sqlite from "better-sqlite3";
import type { Where } from "./filter.ts";
import { partsOf, phrase, terms_max } from "./question.ts";

export interface WordHit {
  readonly text_id: number;
  readonly score: number;
}
export interface WordAnswer {
  /** Best first. */
  readonly hits: readonly WordHit[];
  /** Terms that are in some text. */
  readonly terms: readonly string[];
  /** Terms that are in too many texts to find by. */
  readonly frequent: readonly string[];
}

/** Texts that may be scored for one question. */
const scored_max = 3000;
/** Counting the texts of a term ends here; it is then as frequent as this. */
const counted_max = 100_000;
/** Texts with all of the frequent terms that are taken, newest first; with a filter, those that are looked through for it. */
const newest_max = 2000;
const filtered_max = 200_000;
const frequencies_max = 2000;

interface Term {
  readonly term: string;
  readonly texts: number;
}

export class Words {
  readonly #db: Sqlite.Database;
  readonly #count: Sqlite.Statement<[string, number], { n: number }>;
  readonly #all: Sqlite.Statement<[], { n: number | null }>;
  readonly #holds: Sqlite.Statement<[string, number], { one: number }>;
  /** What was counted, and how many texts there were then. */
  readonly #frequencies = new Map<string, { readonly texts: number; readonly of: number }>();

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#count = db.prepare("SELECT count(*) AS n FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)");
    this.#all = db.prepare("SELECT max(id) AS n FROM texts");
    this.#holds = db.prepare("SELECT 1 AS one FROM words WHERE words MATCH ? AND rowid = ?");
  }

  search(asked: readonly string[], where: Where, limit: number): WordAnswer {
    const of = this.#all.get()?.n ?? 0;
    const held = this.#held(asked, of);
    const terms = held.map(({ term }) => term);
    const [finding, frequent] = split(held);
    if (held.length === 0) return { hits: [], terms, frequent: [] };
    const names = frequent.map(({ term }) => term);
    if (finding.length === 0) return { hits: this.#byAll(frequent, where, limit), terms, frequent: names };
    return { hits: this.#byAny(finding, frequent, of, where, limit), terms, frequent: names };
  }

  /** Which of the terms this text holds. */
  matched(text_id: number, terms: readonly string[]): string[] {
    return terms.filter((term) => this.#holds.get(phrase(term), text_id) !== undefined);
  }

  /** Terms that are in some text, rarest first. */
  #held(asked: readonly string[], of: number): Term[] {
    const counted = asked.map((term) => ({ term, texts: this.#frequency(term, of) }));
    const parts = counted
      .filter(({ texts }) => texts === 0)
      .flatMap(({ term }) => partsOf(term))
      .filter((part) => !asked.includes(part));
    const more = [...new Set(parts)].map((term) => ({ term, texts: this.#frequency(term, of) }));
    return [...counted, ...more]
      .filter(({ texts }) => texts > 0)
      .sort((a, b) => a.texts - b.texts)
      .slice(0, terms_max);
  }

  #frequency(term: string, of: number): number {
    const known = this.#frequencies.get(term);
    if (known !== undefined && of <= known.of * 1.1 && of >= known.of && known.texts > 1000) return known.texts;
    const texts = this.#count.get(phrase(term), counted_max)?.n ?? 0;
    if (this.#frequencies.size >= frequencies_max) this.#frequencies.clear();
    this.#frequencies.set(term, { texts, of });
    return texts;
  }

  #byAny(finding: readonly Term[], frequent: readonly Term[], of: number, where: Where, limit: number): WordHit[] {
    const any = finding.map(({ term }) => phrase(term)).join(" OR ");
    const weighed = frequent.map(({ term, texts }) => ({
      match: `(${any}) AND ${phrase(term)}`,
      weight: Math.max(0.01, Math.log((of - texts + 0.5) / (texts + 0.5))),
    }));
    const more = weighed.map(() => " UNION ALL SELECT rowid, ? FROM words WHERE words MATCH ?").join("");
    const passes = where.narrows
      ? `WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = hit.id AND ${where.sql})`
      : "";
    const rows = this.#db.prepare<unknown[], WordHit>(
      `WITH found (id, score) AS MATERIALIZED (SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?${more}),
       hit AS (SELECT id, sum(score) AS score FROM found GROUP BY id)
       SELECT id AS text_id, score FROM hit ${passes} ORDER BY score DESC, id DESC LIMIT ?`,
    );
    const values = where.narrows ? where.values : [];
    return rows.all(any, ...weighed.flatMap(({ weight, match }) => [weight, match]), ...values, limit);
  }

  #byAll(frequent: readonly Term[], where: Where, limit: number): WordHit[] {
    const hits = new Map<number, WordHit>();
    for (let terms = frequent.length; terms > 0 && hits.size < limit; terms -= 1) {
      const match = frequent
        .slice(0, terms)
        .map(({ term }) => phrase(term))
        .join(" AND ");
      for (const text_id of this.#newest(match, where, limit)) {
        if (!hits.has(text_id)) hits.set(text_id, { text_id, score: terms });
      }
    }
    return [...hits.values()].slice(0, limit);
  }

  #newest(match: string, where: Where, limit: number): number[] {
    const passes = where.narrows
      ? `WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = id AND ${where.sql})`
      : "";
    const looked_at = where.narrows ? filtered_max : newest_max;
    const rows = this.#db.prepare<unknown[], { id: number }>(
      `SELECT id FROM (SELECT rowid AS id FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ${looked_at}) ${passes} LIMIT ?`,
    );
    return rows.all(match, ...(where.narrows ? where.values : []), limit).map(({ id }) => id);
  }
}

/** Into those that find and those that only weigh. @param held rarest first */
function split(held: readonly Term[]): [Term[], Term[]] {
  let sum = 0;
  const at = held.findIndex(({ texts }) => {
    sum += texts;
    return sum > scored_max;
  });
  return at < 0 ? [[...held], []] : [held.slice(0, at), held.slice(at)];
}
