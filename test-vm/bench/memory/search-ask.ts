/** Asks what search-build.ts filled, and prints what it measured as JSON: `bun search-ask.ts <folder> <memories> <questions>`. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { LongTerm } from "../../../memory/longterm/longterm.ts";
import { phrase, termsOf } from "../../../memory/longterm/question.ts";
import { openDatabase } from "../../../memory/store/open.ts";
import { loadNative, nativeFile } from "../../../wire/native.ts";
import { type Asked, question } from "./generated.ts";
import { askedNumbers, Nearest, questions_alone, type SearchFigures } from "./search.ts";

const [folder = "", memories = "", questions = ""] = process.argv.slice(2);
const asked = askedNumbers(Number(memories), Number(questions)).map(question);
const { nearest } = Nearest.parse(JSON.parse(readFileSync(join(folder, "nearest.json"), "utf8")));
const now_ms = 1_700_000_000_000 + Number(memories) * 60_000;

/** Milliseconds of each, after a few that are not counted. */
function timed(ask: (one: Asked) => void, of = asked): number[] {
  for (const one of of.slice(0, 5)) ask(one);
  return of.map((one) => {
    const begin_ms = performance.now();
    ask(one);
    return performance.now() - begin_ms;
  });
}

const { db } = openDatabase(join(folder, "memory"));
const longterm = new LongTerm(db);
const search = (mode: "hybrid" | "words" | "meaning", filter = {}) =>
  timed(
    ({ text, vector }) => void longterm.search({ query: text, filter, limit: 10, mode, vector: mode === "words" ? null : vector, now_ms }),
  );
const before = process.cpuUsage();
const hybrid = search("hybrid");
const used = process.cpuUsage(before);
const ours = {
  hybrid,
  hybrid_cpu_ms: (used.user + used.system) / 1000 / (asked.length + Math.min(5, asked.length)),
  words: search("words"),
  meaning: search("meaning"),
  filtered: search("hybrid", { services: ["nginx"], severity_min: "error" }),
};
const hits = asked.map(({ vector }, at) => {
  const wanted = new Set(nearest[at]);
  return longterm.vectors.nearest(vector, 10).filter(({ text_id }) => wanted.has(text_id)).length;
});
const recall = hits.reduce((sum, n) => sum + n, 0) / (10 * asked.length);
const rss_bytes = process.memoryUsage().rss;
const fts = db.prepare("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 10");
const fts_alone = timed(({ text }) => void fts.all(termsOf(text).map(phrase).join(" OR ")), asked.slice(0, questions_alone));
db.close();

const alone: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(join(folder, "vec.db"));
alone.loadExtension(nativeFile(`sqlite-vec-linux-${process.arch}`, "vec0.so"));
const near = alone.prepare("SELECT rowid FROM v WHERE v MATCH ? AND k = 10");
const vec_alone = timed(({ vector }) => void near.all(vector), asked.slice(0, questions_alone));
alone.close();

const figures: SearchFigures = {
  ...ours,
  recall,
  rss_bytes,
  file_bytes: statSync(join(folder, "memory", "memory.db")).size,
  fts_alone,
  vec_alone,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
