/** Sections by word and by meaning, fused by rank (reciprocal rank fusion: Cormack, Clarke and Büttcher, 2009). */

import type Sqlite from "better-sqlite3";
import type { DocumentKind, FoundSection, KnowledgeFilter } from "../../contracts/memory/knowledge.ts";

const words_max = 32;
const candidates_max = 80;
/** Of one document, so that one long page does not fill the answer. */
const sections_of_document_max = 2;
const text_chars_max = 1500;
const rrf_k = 60;
/** A word in the title says more than one in the text. */
const weights = { title: 5, heading: 2, text: 1 } as const;
/**
 * Who asks wants to act: what says what to do goes before what a tool takes, a few places. An opening says what the whole page
 * is about.
 */
const priors: Readonly<Record<DocumentKind, number>> = { playbook: 1.15, runbook: 1.15, system: 1.05, hardware: 1, tool: 1 };
const opening_prior = 1.05;
/** They are everywhere; asked for alone they find nothing that is meant. */
const empty_words = new Set(
  "a an and are as at be but by do does for from has have how i if in is it its my no not of on or so that the then there this to was what when where which who why will with you".split(
    " ",
  ),
);

interface Hit {
  readonly seq: number;
  readonly document: string;
  readonly heading: string;
  readonly text: string;
  readonly title: string;
  readonly kind: DocumentKind;
  readonly version: number;
  readonly taint: string;
}

/** A section with the cosine of its vector and the question's. */
interface Near {
  readonly seq: number;
  readonly cosine: number;
}

export interface Question {
  readonly query: string;
  readonly filter: KnowledgeFilter;
  readonly limit: number;
  readonly words: boolean;
  /** Null: not searched by meaning. */
  readonly meaning: { readonly vector: Float32Array; readonly model: string } | null;
}

/** The words of a question, each to be quoted for FTS5: nothing in it is syntax. */
export function wordsOf(query: string): string[] {
  const all = query.toLowerCase().match(/[\p{L}\p{N}](?:[\p{L}\p{N}._-]*[\p{L}\p{N}])?/gu) ?? [];
  const telling = all.filter((word) => !empty_words.has(word));
  return [...new Set(telling.length > 0 ? telling : all)].slice(0, words_max);
}

const quoted = (word: string): string => `"${word.replaceAll('"', "")}"`;

export function find(db: Sqlite.Database, { query, filter, limit, words, meaning: asked_meaning }: Question): FoundSection[] {
  const asked = words ? wordsOf(query) : [];
  const by_word = asked.length === 0 ? [] : matching(db, asked, filter);
  const rank_by_word = new Map(by_word.map(({ seq }, index) => [seq, index + 1]));
  const by_meaning = asked_meaning === null ? [] : nearest(db, asked_meaning, filter);
  const rank_by_meaning = new Map(by_meaning.map(({ seq, cosine }, index) => [seq, { rank: index + 1, cosine }]));
  const known = new Map(by_word.map((hit) => [hit.seq, hit]));
  for (const hit of withSeq(
    db,
    by_meaning.map(({ seq }) => seq).filter((seq) => !known.has(seq)),
    filter,
  ))
    known.set(hit.seq, hit);
  const scored = [...known.values()].map((hit) => {
    const [word, meaning] = [rank_by_word.get(hit.seq), rank_by_meaning.get(hit.seq)];
    const score = (word === undefined ? 0 : 1 / (rrf_k + word)) + (meaning === undefined ? 0 : 1 / (rrf_k + meaning.rank));
    const prior = priors[hit.kind] * (hit.heading === "" ? opening_prior : 1);
    return { hit, word, meaning: meaning ?? null, score: score * prior };
  });
  scored.sort((a, b) => b.score - a.score || a.hit.seq - b.hit.seq);
  const taken = new Map<string, number>();
  const chosen = scored.filter(({ hit: { document } }) => {
    const so_far = taken.get(document) ?? 0;
    taken.set(document, so_far + 1);
    return so_far < sections_of_document_max;
  });
  return chosen.slice(0, limit).map(({ hit, word, meaning, score }) => {
    const matched = word === undefined ? [] : asked.filter((one) => holds(db, hit.seq, one));
    return told(hit, score, word === undefined ? null : { rank: word, matched }, meaning);
  });
}

const columns = `s.seq, s.document, s.heading, s.text, v.title, v.kind, v.version, v.taint`;
const of_current = `JOIN knowledge_documents d ON d.document = s.document
  JOIN knowledge_versions v ON v.document = d.document AND v.version = d.version`;

function matching(db: Sqlite.Database, words: readonly string[], filter: KnowledgeFilter): Hit[] {
  const { sql, values } = conditions(filter);
  return db
    .prepare<unknown[], Hit>(
      `SELECT ${columns} FROM knowledge_words JOIN knowledge_sections s ON s.seq = knowledge_words.rowid ${of_current}
       WHERE knowledge_words MATCH ? ${sql}
       ORDER BY bm25(knowledge_words, ${weights.title}, ${weights.heading}, ${weights.text}), s.seq LIMIT ${candidates_max}`,
    )
    .all(words.map(quoted).join(" OR "), ...values);
}

/** A thousand sections or two: all are compared (sqlite-vec). */
function nearest(db: Sqlite.Database, { vector, model }: NonNullable<Question["meaning"]>, filter: KnowledgeFilter): Near[] {
  const { sql, values } = conditions(filter);
  return db
    .prepare<unknown[], Near>(
      `SELECT s.seq, 1 - vec_distance_cosine(k.vector, ?) AS cosine
       FROM knowledge_sections s ${of_current} JOIN knowledge_vectors k ON k.sha256 = s.sha256 AND k.model = ?
       WHERE true ${sql} ORDER BY cosine DESC, s.seq LIMIT ${candidates_max}`,
    )
    .all(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength), model, ...values);
}

function withSeq(db: Sqlite.Database, seqs: readonly number[], filter: KnowledgeFilter): Hit[] {
  if (seqs.length === 0) return [];
  const { sql, values } = conditions(filter);
  return db
    .prepare<unknown[], Hit>(
      `SELECT ${columns} FROM knowledge_sections s ${of_current} WHERE s.seq IN (SELECT value FROM json_each(?)) ${sql}`,
    )
    .all(JSON.stringify(seqs), ...values);
}

function conditions({ kinds, tools, events, untainted }: KnowledgeFilter): { sql: string; values: string[] } {
  const parts: string[] = [];
  const values: string[] = [];
  const anyOf = (member: string, wanted: readonly string[] | undefined): void => {
    if (wanted === undefined) return;
    parts.push(`EXISTS (SELECT 1 FROM json_each(v.front, '$.${member}') m WHERE m.value IN (SELECT value FROM json_each(?)))`);
    values.push(JSON.stringify(wanted));
  };
  if (kinds !== undefined) {
    parts.push("v.kind IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(kinds));
  }
  anyOf("tools", tools);
  anyOf("events", events);
  if (untainted === true) parts.push("v.taint = '[]'");
  return { sql: parts.map((part) => `AND ${part}`).join(" "), values };
}

/** Whether the section holds the word, as the index sees it: with endings and accents left out. */
function holds(db: Sqlite.Database, seq: number, word: string): boolean {
  const found = db.prepare<[string, number], { one: number }>(
    "SELECT 1 AS one FROM knowledge_words WHERE knowledge_words MATCH ? AND rowid = ?",
  );
  return found.get(quoted(word), seq) !== undefined;
}

function told(hit: Hit, score: number, words: FoundSection["words"], meaning: FoundSection["meaning"]): FoundSection {
  const { document, version, title, kind, heading: section, text } = hit;
  const why = [
    ...(words === null ? [] : [`by word, place ${words.rank}: ${words.matched.join(", ")}`]),
    ...(meaning === null ? [] : [`by meaning, place ${meaning.rank}: cosine ${meaning.cosine.toFixed(2)}`]),
  ].join("; ");
  const cut = text.length > text_chars_max;
  const shown = cut ? `${text.slice(0, text_chars_max)}…` : text;
  return {
    ...{ document, version, title, kind, section, text: shown, cut, taint: JSON.parse(hit.taint), score, words, meaning },
    why: why.slice(0, 500),
  };
}
