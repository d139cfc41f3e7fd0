/** How well a text answers: by meaning and by word; then a prior by age and by use. */

/**
 * What holding all of the question's terms counts, beside a cosine of 1; half of them, a quarter of it: a name that is pasted
 * into a search is found by word, a sentence shares words with much that it is not about. A sum of scores keeps what ranks lose:
 * how near, and how much of the question. Chosen with the tuning part of the bench's questions; 0.3 to 0.7 do about as well.
 */
const word_weight = 0.5;
/** What counts for less than this is no answer. Of the tuning questions that have one, none loses it by this. */
export const relevance_min = 0.2;
/** A text that has no vector yet is taken to be as near as texts are that hold as much of a question. */
const cosine_of_coverage = 0.5;
/** Without vectors, by rank alone: how little the first ranks count more than the next. */
const rank_offset = 20;
/** In which the newness of a memory counts half. */
const recency_half_life_days = 30;
/** What the oldest memory keeps of its score: what fits best comes first, also after years. */
const recency_floor = 0.95;
const usefulness_floor = 0.9;
const usefulness_span = 0.2;
/** A person said that it is to be found first. */
const pinned_factor = 1.5;
/** The next memory with the same text says nothing new: each is worth this much of the one before. */
const same_text_factor = 0.9;
const day_ms = 86_400_000;

/** @param cosine null: it has no vector @param coverage of the question's terms, 0 to 1 @returns 0 to 1.5 */
export function relevanceOf(cosine: number | null, coverage: number): number {
  return Math.max(0, cosine ?? cosine_of_coverage * coverage) + word_weight * coverage ** 2;
}

/** @param rank from 1 @returns 1 for the first */
export function relevanceOfRank(rank: number): number {
  return (rank_offset + 1) / (rank_offset + rank);
}

/** 1 for what is new, towards the floor with age; a time in the future is new. */
export function recencyOf(time_ms: number, now_ms: number): number {
  const age_days = Math.max(0, now_ms - time_ms) / day_ms;
  return recency_floor + (1 - recency_floor) * 2 ** (-age_days / recency_half_life_days);
}

/** Laplace-smoothed share of the decisions with it that worked: 1 for what was never used. */
export function usefulnessOf(used: number, useful: number): number {
  return usefulness_floor + usefulness_span * ((useful + 1) / (used + 2));
}

interface Weighed {
  readonly relevance: number;
  readonly recency: number;
  readonly usefulness: number;
  readonly pinned: boolean;
  /** How many better ones have the same text. */
  readonly repeats: number;
}

export function scoreOf({ relevance, recency, usefulness, pinned, repeats }: Weighed): number {
  return relevance * recency * usefulness * (pinned ? pinned_factor : 1) * same_text_factor ** repeats;
}
