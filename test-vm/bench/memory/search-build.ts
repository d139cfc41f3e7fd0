/**
 * Fills a folder for search.ts: `bun search-build.ts <folder> <memories> <questions>`: memory.db by memory's own code, vectors
 * as float32 in `vectors.f32`, the same in a table of sqlite-vec alone, and for each question the ten that are really nearest.
 */

import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Memory } from "../../../contracts/memory/record.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { loadNative, nativeFile } from "../../../wire/native.ts";
import { type Asked, dimensions, question, textOf, vectorOf } from "./generated.ts";
import { askedNumbers } from "./search.ts";

const batch = 5000;
const kinds = ["event", "action", "conversation", "incident"] as const;
const services = ["nginx", "postgres", "sshd", "redis", "mail", "console", "chronyd", null] as const;

const [folder = "", memories = "", questions = ""] = process.argv.slice(2);
const count = Number(memories);

class Nearest {
  readonly #best: { readonly cosine: number; readonly number: number }[] = [];

  constructor(readonly asked: Asked) {}

  offer(number: number, vector: Float32Array): void {
    const q = this.asked.vector;
    let cosine = 0;
    for (let at = 0; at < dimensions; at += 1) cosine += (q[at] ?? 0) * (vector[at] ?? 0);
    if (this.#best.length === 10 && cosine <= (this.#best[9]?.cosine ?? 0)) return;
    this.#best.push({ cosine, number });
    this.#best.sort((a, b) => b.cosine - a.cosine);
    if (this.#best.length > 10) this.#best.pop();
  }

  get numbers(): number[] {
    return this.#best.map(({ number }) => number);
  }
}

function memoryOf(number: number): Memory {
  return {
    id: `0badcafe-bench-${number}`,
    time_ms: 1_700_000_000_000 + number * 60_000,
    boot_ms: number,
    kind: kinds[number % kinds.length] ?? "event",
    source: "broker",
    severity: number % 50 === 0 ? "error" : "info",
    tier: null,
    tool: null,
    service: services[number % services.length] ?? null,
    outcome: null,
    text: textOf(number),
    body: { number },
    taint: [],
    links: [],
  };
}

const keeper = new Keeper(join(folder, "memory"));
keeper.write(({ longterm }) => longterm.vectors.begin("generated", dimensions));
const alone: Sqlite.Database = new (loadNative("better-sqlite3") as typeof Sqlite)(join(folder, "vec.db"));
alone.loadExtension(nativeFile(`sqlite-vec-linux-${process.arch}`, "vec0.so"));
alone.pragma("journal_mode = WAL");
alone.exec(`CREATE VIRTUAL TABLE v USING vec0 (v float[${dimensions}] distance_metric=cosine)`);
const insert = alone.prepare("INSERT INTO v (rowid, v) VALUES (?, ?)");
const floats = openSync(join(folder, "vectors.f32"), "w");
const nearest = askedNumbers(count, Number(questions)).map((number) => new Nearest(question(number)));
for (let first = 1; first <= count; first += batch) {
  const numbers = Array.from({ length: Math.min(batch, count + 1 - first) }, (_, n) => first + n);
  const vectors = numbers.map(vectorOf);
  keeper.write(({ longterm }) => {
    for (const number of numbers) longterm.put(memoryOf(number));
    // texts are numbered in the order of writing, as these are
    for (const [at, number] of numbers.entries()) longterm.vectors.put(number, vectors[at] ?? null);
  });
  alone.transaction(() => {
    for (const [at, number] of numbers.entries()) insert.run(BigInt(number), vectors[at]);
  })();
  for (const [at, vector] of vectors.entries()) {
    writeSync(floats, vector);
    for (const one of nearest) one.offer(numbers[at] ?? 0, vector);
  }
}
closeSync(floats);
writeFileSync(join(folder, "nearest.json"), JSON.stringify(nearest.map(({ numbers }) => numbers)));
keeper.close();
alone.close();
