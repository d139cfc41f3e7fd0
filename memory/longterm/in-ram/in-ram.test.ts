/** What is compared in RAM, against the same computed plainly; and that the copies are what memory.db has, whatever happens to it. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { openInRam } from "../../../wire/database.ts";
import { seeded } from "../../../wire/seeded.ts";
import { memory_file } from "../../store/migrations.ts";
import { Store } from "../../store/store.ts";
import { int8Of, Vectors } from "../vectors.ts";
import { assembled_bytes } from "./compare.ts";
import { Signs, signsOf } from "./signs.ts";
import { Wholes } from "./wholes.ts";

const dimensions = 72;
const next = seeded(11);
const vectorOf = (): Float32Array => Float32Array.from({ length: dimensions }, () => next() - 0.5);

test("compare.ts holds compare.wat as wabt assembles it", async () => {
  const { parseWat } = await wabt();
  const wat = readFileSync(join(import.meta.dir, "compare.wat"), "utf8");
  const { buffer } = parseWat("compare.wat", wat, { simd: true }).toBinary({});
  expect(Buffer.from(buffer).toString("base64")).toBe(assembled_bytes().toString("base64"));
});

interface Filled {
  readonly store: Store;
  readonly vectors: Vectors;
  readonly held: Map<number, Buffer>;
  put(id: number): void;
  remove(id: number): void;
  readonly db: ReturnType<typeof openInRam>;
}

function filled(): Filled {
  const db = openInRam(memory_file);
  const vectors = new Vectors(db, { bytes_max: 1e9, wholes_max: 1e9 });
  const witness = {
    ...{ event: () => {}, decision: () => {} },
    ...{ committed: () => vectors.committed(), rolledBack: () => vectors.rolledBack() },
  };
  const held = new Map<number, Buffer>();
  return {
    ...{ db, vectors, held, store: new Store(db, () => null, witness) },
    put(id) {
      const vector = vectorOf();
      held.set(id, int8Of(vector));
      db.prepare("INSERT INTO texts (id, hash, text) VALUES (?, randomblob(16), '')").run(id);
      vectors.put(id, vector);
    },
    remove(id) {
      held.delete(id);
      vectors.remove(id);
      db.prepare("DELETE FROM texts WHERE id = ?").run(id);
    },
  };
}

const cosineOf = (a: Int8Array, b: Int8Array): number => {
  const dot = (x: Int8Array, y: Int8Array): number => x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
const differing = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, at) => sum + (value ^ (b[at] ?? 0)).toString(2).replaceAll("0", "").length, 0);

/** Both copies against `held`. */
function expectAsHeld({ db, vectors, held }: Filled, limit: number): void {
  const question = vectorOf();
  const q = int8Of(question);
  const exact = [...held]
    .map(([text_id, v]) => ({ text_id, cosine: cosineOf(new Int8Array(q), new Int8Array(v)) }))
    .sort((a, b) => b.cosine - a.cosine || b.text_id - a.text_id)
    .slice(0, limit);
  const near = vectors.nearest(question, limit);
  expect(near.map(({ text_id }) => text_id)).toEqual(exact.map(({ text_id }) => text_id));
  for (const [at, { cosine }] of near.entries()) expect(cosine).toBeCloseTo(exact[at]?.cosine ?? 2, 6);
  const signs = Signs.read(db, dimensions, 0);
  const bits = [...held].map(([id, v]) => ({ id, bits: differing(signsOf(v), signsOf(q)) })).sort((a, b) => a.bits - b.bits);
  const within = bits[Math.min(limit, bits.length) - 1]?.bits ?? 0;
  expect(signs?.nearest(q, limit, held.size).sort((a, b) => a - b)).toEqual(
    bits.flatMap(({ id, bits: n }) => (n <= within ? [id] : [])).sort((a, b) => a - b),
  );
}

test("written, deleted, and rolled back: what is found in RAM is what is held", () => {
  const all = filled();
  const { store, vectors, held } = all;
  let id = 0;
  store.commit(() => vectors.begin("seeded", dimensions));
  for (let round = 0; round < 30; round += 1) {
    const rolled_back = round % 5 === 4;
    const before = new Map(held);
    const change = (): void => {
      for (let n = 0; n < 150; n += 1) all.put(++id);
      const ids = [...held.keys()];
      for (let n = 0; n < 40; n += 1) {
        const gone = ids[Math.floor(next() * ids.length)] ?? 0;
        if (held.has(gone)) all.remove(gone);
      }
      if (rolled_back) throw new Error("not to stay");
    };
    if (!rolled_back) store.commit(change);
    else {
      expect(() => store.commit(change)).toThrow("not to stay");
      held.clear();
      for (const [n, v] of before) held.set(n, v);
    }
    expect(vectors.count).toBe(held.size);
    expectAsHeld(all, 25);
  }
});

test("those at the edge are taken up to the limit, those that are nearer always", () => {
  const all = filled();
  const vector = vectorOf();
  all.store.commit(() => {
    all.vectors.begin("seeded", dimensions);
    for (let n = 0; n < 50; n += 1) all.put(n + 1);
    for (let n = 50; n < 500; n += 1) {
      all.db.prepare("INSERT INTO texts (id, hash, text) VALUES (?, randomblob(16), '')").run(n + 1);
      all.vectors.put(n + 1, vector);
    }
  });
  const q = int8Of(vector);
  expect(Signs.read(all.db, dimensions, 0)?.nearest(q, 10, 100)).toHaveLength(100);
  const opposite = int8Of(vector.map((value) => -value));
  const near = Signs.read(all.db, dimensions, 0)?.nearest(opposite, 60, 80) ?? [];
  expect(near).toHaveLength(80);
  expect(near.filter((id) => id <= 50)).toHaveLength(50);
});

test("sign bits are those of sqlite-vec; nothing is as near as anything", () => {
  const { db, store, vectors, put } = filled();
  store.commit(() => {
    vectors.begin("seeded", dimensions);
    put(1);
    db.prepare("INSERT INTO texts (id, hash, text) VALUES (2, randomblob(16), '')").run();
    vectors.put(2, new Float32Array(dimensions));
  });
  const v = int8Of(vectorOf());
  expect(db.prepare("SELECT vec_quantize_binary(vec_int8(?))").pluck().get(v)).toEqual(Buffer.from(signsOf(v)));
  expect(
    Wholes.read(db, dimensions, 0)
      ?.nearest(v, 5)
      .find(({ text_id }) => text_id === 2)?.cosine,
  ).toBe(0);
});
