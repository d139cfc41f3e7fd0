/**
 * Hybrid search at 10,000, 100,000 and (with AIOS_LONG=1, for filling takes minutes) a million memories. The worst case: no
 * two say the same, so the indexes have an entry for each. Vectors are generated, in clusters; the question's is at hand, for
 * what the model takes is measured with it. Asked in a process of its own, with the settings that PID 1 gives memory.
 *
 * Beside it, in the same run: FTS5 alone (all words, BM25), sqlite-vec alone (float32, all compared), numpy.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { pythonPackages, runPython } from "../../../models/build.ts";
import { sentence_model } from "../../../models/places.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { run } from "../../../tooling/run.ts";
import { checkout } from "../../places.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";
import { memoryEnvironment } from "./environment.ts";

export interface SearchFigures {
  readonly hybrid: readonly number[];
  /** Processor time of one, which other programs on the machine do not lengthen. */
  readonly hybrid_cpu_ms: number;
  readonly words: readonly number[];
  readonly meaning: readonly number[];
  readonly filtered: readonly number[];
  readonly recall: number;
  readonly rss_bytes: number;
  readonly file_bytes: number;
  readonly fts_alone: readonly number[];
  readonly vec_alone: readonly number[];
}

const questions = 200;
/** What numpy computed. */
export const Nearest = z.strictObject({ took_ms: z.array(z.number()), nearest: z.array(z.array(z.int())) });
/** Of these, what is asked of the alternatives, which take up to a second for each of a million. */
export const questions_alone = 30;

export async function benchSearch(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const sizes = process.env["AIOS_LONG"] === "1" ? [10_000, 100_000, 1_000_000] : [10_000, 100_000];
  for (const size of sizes) {
    const folder = mkdtempSync("/var/tmp/aios-bench-search-");
    try {
      rows.push(...(await rowsOf(folder, size)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}

/** Memories that are asked about, spread over all. */
export function askedNumbers(memories: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => 1 + ((n * 7919 * 13) % memories));
}

async function rowsOf(folder: string, memories: number): Promise<BenchRow[]> {
  const script = (name: string): string[] => [process.execPath, join(import.meta.dir, name), folder, String(memories), String(questions)];
  await run(script("search-build.ts"), { cwd: checkout });
  const numpy = rowOf("", "ms", await bruteForce(folder));
  const asking = Bun.spawn(script("search-ask.ts"), {
    cwd: checkout,
    env: { ...process.env, ...memoryEnvironment() },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said: unknown = JSON.parse(await new Response(asking.stdout).text());
  if ((await asking.exited) !== 0 || !isFigures(said))
    throw new Error("measuring search failed: its process ended with an error; see above");
  const of = `${memories} memories, generated vectors`;
  const fts = rowOf("", "ms", said.fts_alone);
  const vec = rowOf("", "ms", said.vec_alone);
  const meaning = rowOf(`search by meaning, ${of}`, "ms", said.meaning);
  return [
    versus(rowOf(`hybrid search, ${of}`, "ms", said.hybrid), "FTS5 alone", fts),
    rowOfValue(`hybrid search, ${of}: processor time`, "ms", said.hybrid_cpu_ms),
    versus(rowOf(`search by word, ${of}`, "ms", said.words), "FTS5 alone", fts),
    versus(meaning, "sqlite-vec alone (float32)", vec),
    versus(meaning, "numpy, brute force, one thread", numpy),
    rowOf(`hybrid search with a filter that leaves 1 in 200, ${of}`, "ms", said.filtered),
    rowOfValue(`recall@10 of search by meaning against exact, ${of}`, "share", said.recall),
    rowOfValue(`resident memory of the process, ${of}`, "bytes", said.rss_bytes),
    rowOfValue(`memory.db, ${of}`, "bytes", said.file_bytes),
  ];
}

/** By numpy, on one thread, as ours is; what is really nearest is left in `nearest.json`. @returns milliseconds of each question */
async function bruteForce(folder: string): Promise<number[]> {
  const packages = await pythonPackages(join(checkout, "models", sentence_model.name, "requirements.txt"));
  const [vectors, asked, out] = ["vectors.f32", "questions.f32", "nearest.json"].map((name) => join(folder, name));
  await runPython(packages, [join(import.meta.dir, "brute-force.py"), vectors ?? "", asked ?? "", out ?? ""]);
  return Nearest.parse(JSON.parse(readFileSync(out ?? "", "utf8"))).took_ms;
}

function isFigures(value: unknown): value is SearchFigures {
  return typeof value === "object" && value !== null && "hybrid" in value && "recall" in value && "vec_alone" in value;
}
