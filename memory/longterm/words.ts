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
import { Statements } from "./statements.ts";

interface WordHit {
  readonly text_id: number;
  readonly score: number;
  /** How much of the question it holds, 0 to 1: its terms, weighed by inverse document frequency. */
  readonly coverage: number;
  /** Terms that it holds. */
  readonly matched: readonly string[];
}
export interface WordAnswer {
  /** Best first. */
  readonly hits: readonly WordHit[];
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
  /** That hold it. */
  readonly texts: number;
  /** Inverse document frequency. */
  readonly weight: number;
}
interface Scored {
  readonly text_id: number;
  readonly score: number;
  /** Which of the terms it holds, rarest first: a bit each. */
  readonly terms: number;
}

export class Words {
  readonly #statements: Statements;
  readonly #count: Sqlite.Statement<[string, number], { n: number }>;
  readonly #all: Sqlite.Statement<[], { n: number | null }>;
  /** What was counted, and how many texts there were then. */
  readonly #frequencies = new Map<string, { readonly texts: number; readonly of: number }>();

  constructor(db: Sqlite.Database) {
    this.#statements = new Statements(db);
    this.#count = db.prepare("SELECT count(*) AS n FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)");
    this.#all = db.prepare("SELECT max(id) AS n FROM texts");
  }

  search(asked: readonly string[], where: Where, limit: number): WordAnswer {
    const of = this.#all.get()?.n ?? 0;
    const looked_for = this.#counted(asked, of);
    const weight_all = looked_for.reduce((sum, { weight }) => sum + weight, 0);
    const held = looked_for.filter(({ texts }) => texts > 0).slice(0, terms_max);
    const [finding, frequent] = split(held);
    if (held.length === 0) return { hits: [], frequent: [] };
    const names = frequent.map(({ term }) => term);
    const found = finding.length === 0 ? this.#byAll(frequent, where, limit) : this.#byAny(finding, frequent, where, limit);
    const hits = found.map(({ text_id, score, terms }) => {
      const matched = held.filter((_, at) => (terms & (1 << at)) !== 0);
      const weight = matched.reduce((sum, one) => sum + one.weight, 0);
      return { text_id, score, coverage: weight / weight_all, matched: matched.map(({ term }) => term) };
    });
    return { hits, frequent: names };
  }

  /** Terms, those that no text holds in their parts; rarest first. */
  #counted(asked: readonly string[], of: number): Term[] {
    const termOf = (term: string): Term => {
      const texts = this.#frequency(term, of);
      return { term, texts, weight: Math.log(1 + (of - Math.min(of, texts) + 0.5) / (texts + 0.5)) };
    };
    const whole = asked.map(termOf).map((one) => ({ one, parts: one.texts > 0 ? [] : partsOf(one.term) }));
    const parts = whole.flatMap(({ parts: some }) => (some.length > 1 ? some : [])).filter((part) => !asked.includes(part));
    return [...whole.filter(({ parts: some }) => some.length < 2).map(({ one }) => one), ...[...new Set(parts)].map(termOf)].sort(
      (a, b) => a.texts - b.texts,
    );
  }

  #frequency(term: string, of: number): number {
    const known = this.#frequencies.get(term);
    if (known !== undefined && of <= known.of * 1.1 && of >= known.of && known.texts > 1000) return known.texts;
    const texts = this.#count.get(phrase(term), counted_max)?.n ?? 0;
    if (this.#frequencies.size >= frequencies_max) this.#frequencies.clear();
    this.#frequencies.set(term, { texts, of });
    return texts;
  }

  #byAny(finding: readonly Term[], frequent: readonly Term[], where: Where, limit: number): Scored[] {
    const any = finding.map(({ term }) => phrase(term)).join(" OR ");
    // BM25 has the finding terms' scores already
    const added = [
      ...finding.map(({ term }, at) => ({ match: phrase(term), score: 0, bit: 1 << at })),
      ...frequent.map(({ term, weight }, at) => ({
        match: `(${any}) AND ${phrase(term)}`,
        score: weight,
        bit: 1 << (finding.length + at),
      })),
    ];
    const more = added.map(() => " UNION ALL SELECT rowid, ?, ? FROM words WHERE words MATCH ?").join("");
    const passes = where.narrows
      ? `WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = hit.id AND ${where.sql})`
      : "";
    const rows = this.#statements.of<Scored>(
      `WITH found (id, score, term) AS MATERIALIZED (SELECT rowid, -bm25(words), 0 FROM words WHERE words MATCH ?${more}),
       hit AS (SELECT id, sum(score) AS score, sum(term) AS terms FROM found GROUP BY id)
       SELECT id AS text_id, score, terms FROM hit ${passes} ORDER BY score DESC, id DESC LIMIT ?`,
    );
    const values = where.narrows ? where.values : [];
    return rows.all(any, ...added.flatMap(({ score, bit, match }) => [score, bit, match]), ...values, limit);
  }

  #byAll(frequent: readonly Term[], where: Where, limit: number): Scored[] {
    const hits = new Map<number, Scored>();
    for (let terms = frequent.length; terms > 0 && hits.size < limit; terms -= 1) {
      const match = frequent
        .slice(0, terms)
        .map(({ term }) => phrase(term))
        .join(" AND ");
      for (const text_id of this.#newest(match, where, limit)) {
        if (!hits.has(text_id)) hits.set(text_id, { text_id, score: terms, terms: (1 << terms) - 1 });
      }
    }
    return [...hits.values()].slice(0, limit);
  }

  #newest(match: string, where: Where, limit: number): number[] {
    const passes = where.narrows
      ? `WHERE EXISTS (SELECT 1 FROM memories m INDEXED BY memories_of_text WHERE m.text_id = id AND ${where.sql})`
      : "";
    const looked_at = where.narrows ? filtered_max : newest_max;
    const rows = this.#statements.of<{ id: number }>(
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
