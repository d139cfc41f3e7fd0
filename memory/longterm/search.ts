/** Hybrid search: by word and by meaning, their scores added, weighed by age and use; every hit says why it was found. */

import type Sqlite from "better-sqlite3";
import type { Found, MemoryFilter, SearchMode } from "../../contracts/memory/longterm.ts";
import type { Recalled } from "../../contracts/memory/record.ts";
import { type Where, whereOf } from "./filter.ts";
import { fitted } from "./fit.ts";
import { recencyOf, relevance_min, relevanceOf, relevanceOfRank, scoreOf, usefulnessOf } from "./fuse.ts";
import { termsOf } from "./question.ts";
import type { Recall } from "./recall.ts";
import { Statements } from "./statements.ts";
import type { Near, Vectors } from "./vectors.ts";
import { whyFound } from "./why-found.ts";
import type { WordAnswer, Words } from "./words.ts";

export interface Question {
  readonly query: string;
  readonly filter: MemoryFilter;
  readonly limit: number;
  /** By word, by the vector of the query, or by both. */
  readonly mode: SearchMode;
  /** Null: there is none, whatever the mode. */
  readonly vector: Float32Array | null;
  readonly now_ms: number;
}
export interface Answer {
  readonly found: Found[];
  readonly mode: SearchMode;
  readonly note: string | null;
}

/** Texts of each ranking that are looked at: at least so many, and so many for each hit that is wanted. */
const ranked_min = 60;
const ranked_per_hit = 4;
/** Of memories with one text, the newest that are looked at. */
const same_text_max = 8;

interface Candidate {
  readonly id: string;
  readonly text_id: number;
  readonly time_ms: number;
  readonly pinned: number;
  readonly used: number;
  readonly useful: number;
}
interface Scored extends Candidate {
  readonly score: number;
  readonly recency: number;
  readonly usefulness: number;
}

const no_words: WordAnswer = { hits: [], frequent: [] };

export class Search {
  readonly #statements: Statements;
  readonly #words: Words;
  readonly #vectors: Vectors;
  readonly #recall: Recall;

  constructor(db: Sqlite.Database, words: Words, vectors: Vectors, recall: Recall) {
    this.#statements = new Statements(db);
    this.#words = words;
    this.#vectors = vectors;
    this.#recall = recall;
  }

  search({ query, filter, limit, mode, vector, now_ms }: Question): Answer {
    const where = whereOf(filter);
    const ranked = Math.max(ranked_min, limit * ranked_per_hit);
    const by_vector = vector !== null && mode !== "words";
    const near = by_vector ? this.#vectors.nearestWhere(vector, where, ranked) : [];
    const by_word = mode !== "meaning" || !by_vector;
    const worded = by_word ? this.#words.search(termsOf(query), where, ranked) : no_words;
    const relevance = by_vector ? this.#byBoth(vector, near, worded, where) : byRank(worded);
    const best = this.#best(relevance, where, limit, now_ms);
    return {
      found: this.#explained(best, worded, near, now_ms),
      mode: !by_vector ? "words" : by_word ? "hybrid" : "meaning",
      note:
        worded.frequent.length === 0
          ? null
          : `in very many memories, so only used to rank what the other words found: ${worded.frequent.join(", ")}`,
    };
  }

  /** Of texts found either way. Those found by word alone are compared with the vector, too. */
  #byBoth(vector: Float32Array, near: readonly Near[], { hits }: WordAnswer, where: Where): Relevance {
    const cosines = new Map(near.map(({ text_id, cosine }) => [text_id, cosine]));
    const others = hits.filter(({ text_id }) => !cosines.has(text_id)).map(({ text_id }) => text_id);
    for (const { text_id, cosine } of this.#vectors.among(vector, others)) cosines.set(text_id, cosine);
    const coverages = new Map(hits.map(({ text_id, coverage }) => [text_id, coverage]));
    const all = new Set([...cosines.keys(), ...coverages.keys()]);
    const relevance = [...all].map((id) => [id, relevanceOf(cosines.get(id) ?? null, coverages.get(id) ?? 0)] as const);
    // who sets a filter has said what is wanted: all that it leaves may answer
    return new Map(where.narrows ? relevance : relevance.filter(([, value]) => value >= relevance_min));
  }

  #best(relevance: Relevance, where: Where, limit: number, now_ms: number): Scored[] {
    const best = [...relevance].sort((a, b) => b[1] - a[1]).map(([id]) => id);
    const of_text = this.#ofText(where);
    const newest = best.slice(0, limit * 2).flatMap(of_text);
    const candidates = new Map([...this.#pinned(best, where), ...newest].map((one) => [one.id, one]));
    const scored = this.#scored([...candidates.values()], relevance, now_ms);
    return scored.sort((a, b) => b.score - a.score || b.time_ms - a.time_ms).slice(0, limit);
  }

  #scored(candidates: readonly Candidate[], relevances: Relevance, now_ms: number): Scored[] {
    const seen = new Map<number, number>();
    return candidates.map((candidate) => {
      const repeat = seen.get(candidate.text_id) ?? 0;
      seen.set(candidate.text_id, repeat + 1);
      const recency = recencyOf(candidate.time_ms, now_ms);
      const usefulness = usefulnessOf(candidate.used, candidate.useful);
      const pinned = candidate.pinned === 1;
      const relevance = relevances.get(candidate.text_id) ?? 0;
      return {
        ...candidate,
        score: scoreOf({ relevance, recency, usefulness, pinned, repeats: pinned ? 0 : repeat }),
        recency,
        usefulness,
      };
    });
  }

  #ofText(where: Where): (text_id: number) => Candidate[] {
    const rows = this.#statements.of<Candidate>(
      `SELECT m.id, m.text_id, m.time_ms, m.pinned, m.used, m.useful FROM memories m INDEXED BY memories_of_text
       WHERE m.text_id = ? AND ${where.sql} ORDER BY m.time_ms DESC LIMIT ${same_text_max}`,
    );
    return (text_id) => rows.all(text_id, ...where.values);
  }

  #pinned(text_ids: readonly number[], where: Where): Candidate[] {
    const rows = this.#statements.of<Candidate>(
      `SELECT m.id, m.text_id, m.time_ms, m.pinned, m.used, m.useful FROM memories m INDEXED BY memories_pinned
       WHERE m.pinned = 1 AND m.text_id IN (SELECT value FROM json_each(?)) AND ${where.sql} ORDER BY m.time_ms DESC LIMIT 100`,
    );
    return rows.all(JSON.stringify(text_ids), ...where.values);
  }

  #explained(best: readonly Scored[], worded: WordAnswer, near: readonly Near[], now_ms: number): Found[] {
    const recalled = fitted(this.#recall.byIds(best.map(({ id }) => id)));
    const scored = new Map(best.map((one) => [one.id, one]));
    const word_ranks = ranksOf(worded.hits);
    const near_ranks = ranksOf(near);
    return recalled.flatMap((memory) => {
      const one = scored.get(memory.id);
      return one === undefined ? [] : [this.#found(memory, one, { worded, word_ranks, near, near_ranks, now_ms })];
    });
  }

  #found(memory: Recalled, scored: Scored, of: FoundBy): Found {
    const word_rank = of.word_ranks.get(scored.text_id);
    const near_rank = of.near_ranks.get(scored.text_id);
    const words = word_rank === undefined ? null : { rank: word_rank, matched: [...(of.worded.hits[word_rank - 1]?.matched ?? [])] };
    const cosine = near_rank === undefined ? undefined : of.near[near_rank - 1]?.cosine;
    const meaning = near_rank === undefined || cosine === undefined ? null : { rank: near_rank, cosine: rounded(cosine) };
    const { recency, usefulness } = scored;
    const why = whyFound(memory, { words, meaning, now_ms: of.now_ms });
    return { memory, score: rounded(scored.score), words, meaning, recency: rounded(recency), usefulness: rounded(usefulness), why };
  }
}

/** By text id, from 1. */
type Ranks = ReadonlyMap<number, number>;
/** By text id: larger is better. */
type Relevance = ReadonlyMap<number, number>;

interface FoundBy {
  readonly worded: WordAnswer;
  readonly word_ranks: Ranks;
  readonly near: readonly Near[];
  readonly near_ranks: Ranks;
  readonly now_ms: number;
}

function byRank({ hits }: WordAnswer): Relevance {
  return new Map(hits.map(({ text_id }, at) => [text_id, relevanceOfRank(at + 1)]));
}

function ranksOf(hits: readonly { readonly text_id: number }[]): Ranks {
  return new Map(hits.map(({ text_id }, at) => [text_id, at + 1]));
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
