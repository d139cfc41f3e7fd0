/**
 * Generated memories for measuring at scale: text and vector of each number, always the same. Vectors lie in clusters, as
 * those of sentences do; words are as frequent as in a language (Zipf), and a cluster has words of its own.
 */

export const dimensions = 384;

const clusters = 2000;
const vocabulary = 30_000;
const words_of_cluster = 40;
const own_words = 6;
const common_words = 14;
/** Of a vector around its cluster's middle, as a share of the vector's length. */
const spread = 1;
/** Of a question around the vector of the memory that it is about. */
const question_spread = 0.8;

/** Mulberry32: small, seeded, good enough for noise. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nearly normal: a sum of four. */
function noise(next: () => number): number {
  return (next() + next() + next() + next() - 2) * Math.sqrt(3);
}

function fill(vector: Float32Array, middle: Float32Array | null, width: number, next: () => number): void {
  const step = width / Math.sqrt(dimensions);
  let sum = 0;
  for (let at = 0; at < dimensions; at += 1) {
    const value = (middle?.[at] ?? 0) + noise(next) * step;
    vector[at] = value;
    sum += value * value;
  }
  const length = Math.sqrt(sum);
  for (let at = 0; at < dimensions; at += 1) vector[at] = (vector[at] ?? 0) / length;
}

let middles: Float32Array[] | null = null;

function middleOf(cluster: number): Float32Array {
  middles ??= Array.from({ length: clusters }, (_, n) => {
    const middle = new Float32Array(dimensions);
    fill(middle, null, 1, random(0x10000 + n));
    return middle;
  });
  return middles[cluster] ?? new Float32Array(dimensions);
}

function clusterOf(number: number): number {
  return Math.floor(random(number * 3 + 1)() * clusters);
}

export function vectorOf(number: number): Float32Array {
  const vector = new Float32Array(dimensions);
  fill(vector, middleOf(clusterOf(number)), spread, random(number * 3 + 2));
  return vector;
}

export function textOf(number: number): string {
  const next = random(number * 3 + 3);
  const own = Array.from({ length: own_words }, () => ownWord(clusterOf(number), next));
  const common = Array.from({ length: common_words }, () => commonWord(next));
  return `${[...own, ...common].join(" ")} ${number}`;
}

export interface Asked {
  readonly text: string;
  readonly vector: Float32Array;
}

/** Four words of its subject, among them the commonest, and two that are everywhere; a vector near its own. */
export function question(number: number): Asked {
  const words = textOf(number).split(" ");
  const next = random(number * 3 + 4);
  const vector = new Float32Array(dimensions);
  fill(vector, vectorOf(number), question_spread, next);
  return { text: [...words.slice(0, 4), "w0", "w1"].join(" "), vector };
}

function ownWord(cluster: number, next: () => number): string {
  return `w${(cluster * 37 + 500 + Math.floor(next() * words_of_cluster) * 211) % vocabulary}`;
}

/** The n-th commonest word is 1/n as frequent as the first. */
function commonWord(next: () => number): string {
  return `w${Math.floor(vocabulary ** next()) - 1}`;
}
