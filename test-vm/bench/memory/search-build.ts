/**
 * Fills a folder for search.ts: `bun search-build.ts <folder> <memories> <questions>`: memory.db by memory's own code, vectors
 * as float32 in `vectors.f32`, the same in a table of sqlite-vec alone, and those of the questions in `questions.f32`.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import type { Memory } from "../../../contracts/memory/record.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { loadNative, nativeFile } from "../../../wire/native.ts";
import { dimensions, question, textOf, vectorOf } from "./generated.ts";
import { askedNumbers } from "./search.ts";

const batch = 5000;
const kinds = ["event", "action", "conversation", "incident"] as const;
const services = ["nginx", "postgres", "sshd", "redis", "mail", "console", "chronyd", null] as const;

const [folder = "", memories = "", questions = ""] = process.argv.slice(2);
const count = Number(memories);

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
  for (const vector of vectors) writeSync(floats, vector);
}
closeSync(floats);
const asked = openSync(join(folder, "questions.f32"), "w");
for (const number of askedNumbers(count, Number(questions))) writeSync(asked, question(number).vector);
closeSync(asked);
keeper.close();
alone.close();
