/** Proves that rows and indexes agree. Reads everything: for tests, after a restore, and when a person asks. */

import type Sqlite from "better-sqlite3";
import { unproven } from "../retention/proof.ts";

interface Rule {
  /** What the count counts. */
  readonly broken: string;
  readonly sql: string;
}

const rules: readonly Rule[] = [
  { broken: "memories without a text", sql: "SELECT count(*) AS n FROM memories WHERE text_id NOT IN (SELECT id FROM texts)" },
  { broken: "texts that cannot be found by word", sql: "SELECT count(*) AS n FROM texts WHERE id NOT IN (SELECT id FROM words_docsize)" },
  { broken: "words of texts that do not exist", sql: "SELECT count(*) AS n FROM words_docsize WHERE id NOT IN (SELECT id FROM texts)" },
  {
    broken: "events without a memory",
    sql: `SELECT count(*) AS n FROM events e WHERE NOT EXISTS (SELECT 1 FROM memories m WHERE m.id = e.id)
          AND NOT EXISTS (SELECT 1 FROM carry_over c WHERE c.what = 'events' AND e.seq <= c.upto)`,
  },
  {
    broken: "decisions without a memory",
    sql: `SELECT count(*) AS n FROM decisions d WHERE NOT EXISTS (SELECT 1 FROM memories m WHERE m.id = d.id)
          AND NOT EXISTS (SELECT 1 FROM carry_over c WHERE c.what = 'decisions' AND d.seq <= c.upto)`,
  },
  {
    broken: "memories without a body",
    sql: `SELECT count(*) AS n FROM memories m WHERE m.body IS NULL AND m.segment IS NULL
          AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = m.id) AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.id = m.id)`,
  },
  {
    broken: "memories whose text is gone",
    sql: "SELECT count(*) AS n FROM memories m JOIN texts t ON t.id = m.text_id WHERE t.text IS NULL AND m.segment IS NULL",
  },
];

/** They hold once vectors were begun: `nearest` is there. */
const vector_rules: readonly Rule[] = [
  {
    broken: "vectors that cannot be found by meaning",
    sql: `SELECT count(*) AS n FROM vectors v JOIN texts t ON t.id = v.text_id
          WHERE t.embedded_by = (SELECT max(id) FROM embedders) AND v.text_id NOT IN (SELECT rowid FROM nearest_rowids)`,
  },
  {
    broken: "entries of the vector index without a vector",
    sql: `SELECT count(*) AS n FROM nearest_rowids n WHERE NOT EXISTS
          (SELECT 1 FROM vectors v JOIN texts t ON t.id = v.text_id WHERE v.text_id = n.rowid AND t.embedded_by = (SELECT max(id) FROM embedders))`,
  },
  {
    broken: "entries of the vector index that differ from their vector",
    sql: "SELECT count(*) AS n FROM nearest JOIN vectors v ON v.text_id = nearest.rowid WHERE vec_quantize_binary(vec_int8(v.v)) != nearest.v",
  },
  {
    broken: "entries of the sample that are not in the vector index",
    sql: "SELECT count(*) AS n FROM nearest_sample_rowids WHERE rowid NOT IN (SELECT rowid FROM nearest_rowids)",
  },
];

/** @returns what does not agree, each with how often; empty when all is well */
export function check(db: Sqlite.Database): string[] {
  const vectors = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'nearest'").get() !== undefined;
  const broken = [...rules, ...(vectors ? vector_rules : [])].flatMap(({ broken: what, sql }) => {
    const n = db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
    return n === 0 ? [] : [`${n} ${what}`];
  });
  broken.push(...unproven(db));
  try {
    db.prepare("INSERT INTO words (words) VALUES ('integrity-check')").run();
  } catch (error) {
    broken.push(`the word index is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  return broken;
}
