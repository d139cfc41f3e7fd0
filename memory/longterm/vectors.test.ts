/** Search among vectors against the exact one, with and without the sample that tells how far to look. */

import { expect, test } from "bun:test";
import { openInRam } from "../../wire/database.ts";
import { memory_file } from "../store/migrations.ts";
import { whereOf } from "./filter.ts";
import type { InRamLimits } from "./in-ram/in-ram.ts";
import { int8Of, Vectors } from "./vectors.ts";

const dimensions = 128;
const clusters = 60;

/** Seeded: the same vectors every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function around(middle: Float32Array | null, width: number, next: () => number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, at) => (middle?.[at] ?? 0) + (next() + next() + next() - 1.5) * width);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const next = random(7);
const middles = Array.from({ length: clusters }, () => around(null, 1, next));
const vectors = Array.from({ length: 4000 }, (_, n) => around(middles[n % clusters] ?? null, 0.15, next));
const questions = Array.from({ length: 40 }, (_, n) => around(vectors[n * 97] ?? null, 0.1, next));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
const exact = (question: Float32Array, among: (n: number) => boolean = () => true): number[] =>
  vectors
    .map((vector, n) => ({ n: n + 1, cosine: dot(vector, question) }))
    .filter(({ n }) => among(n))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, 10)
    .map(({ n }) => n);

function filled(limits?: InRamLimits): Vectors {
  const db = openInRam(memory_file);
  const index = new Vectors(db, limits);
  const text = db.prepare("INSERT INTO texts (id, hash, text) VALUES (?, ?, ?)");
  const memory = db.prepare(
    `INSERT INTO memories (seq, id, time_ms, boot_ms, kind, source, severity, service, text_id)
     VALUES (@n, @id, 0, 0, 'note', 'broker', 1, @service, @n)`,
  );
  db.transaction(() => {
    index.begin("seeded", dimensions);
    for (const [at, vector] of vectors.entries()) {
      const n = at + 1;
      text.run(n, Buffer.from(`hash of ${n}`), `text ${n}`);
      memory.run({ n, id: `0badcafe-note-${n}`, service: n % 500 === 0 ? "rare" : "often" });
      index.put(n, vector);
    }
  })();
  return index;
}

test.each([
  ["all scored, in RAM", undefined],
  ["by sign bits, in RAM", { bytes_max: 1e9, wholes_max: 100 }],
  ["all scored, by sqlite-vec", { bytes_max: 0, wholes_max: 10_000 }],
  ["within a distance read off a sample, by sqlite-vec", { bytes_max: 0, wholes_max: 100 }],
])(
  "recall@10 against exact: %s",
  (_, limits) => {
    const index = filled(limits);
    let hits = 0;
    for (const question of questions) {
      const wanted = new Set(exact(question));
      const near = index.nearest(question, 10);
      hits += near.filter(({ text_id }) => wanted.has(text_id)).length;
      for (const { text_id, cosine } of near) expect(cosine).toBeCloseTo(dot(question, vectors[text_id - 1] ?? question), 1);
      expect(near.map(({ cosine }) => cosine)).toEqual(near.map(({ cosine }) => cosine).toSorted((a, b) => b - a));
    }
    expect(hits / (10 * questions.length)).toBeGreaterThanOrEqual(0.98);
  },
  600_000,
);

test("with a filter exactly what it leaves is compared, however far away", () => {
  const index = filled({ bytes_max: 1e9, wholes_max: 100 });
  for (const question of questions) {
    const near = index.nearestWhere(question, whereOf({ services: ["rare"] }), 10).map(({ text_id }) => text_id);
    expect(near).toHaveLength(8);
    expect(near.every((n) => n % 500 === 0)).toBe(true);
    expect(near.slice(0, 3)).toContain(exact(question, (n) => n % 500 === 0)[0] ?? 0);
  }
}, 600_000);

test("vectors by another model are not compared while they are made again, whatever their length", () => {
  const db = openInRam(memory_file);
  const index = new Vectors(db);
  const vector = (length: number): Float32Array => new Float32Array(length).fill(1);
  db.transaction(() => {
    db.exec("INSERT INTO texts (id, hash, text) VALUES (1, x'01', 'one'), (2, x'02', 'two')");
    db.exec(`INSERT INTO memories (seq, id, time_ms, boot_ms, kind, source, severity, text_id)
             VALUES (1, 'a', 0, 0, 'note', 'broker', 1, 1), (2, 'b', 0, 0, 'note', 'broker', 1, 2)`);
    index.begin("first", 128);
    for (const id of [1, 2]) index.put(id, vector(128));
    index.begin("second", 64);
    index.put(2, vector(64));
  })();
  const ids = (near: readonly { text_id: number }[]): number[] => near.map(({ text_id }) => text_id);
  expect(ids(index.nearest(vector(64), 10))).toEqual([2]);
  expect(ids(index.nearestWhere(vector(64), whereOf({ kinds: ["note"] }), 10))).toEqual([2]);
  expect(ids(index.among(vector(64), [1, 2]))).toEqual([2]);
});

test("int8 uses all of its steps, and nothing becomes nothing", () => {
  expect([...new Int8Array(int8Of(Float32Array.from([0.01, -0.02, 0.0051])))]).toEqual([63, -127, 32]);
  expect([...new Int8Array(int8Of(new Float32Array(3)))]).toEqual([0, 0, 0]);
});
