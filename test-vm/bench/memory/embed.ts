/**
 * Sentence embeddings: how many a second, how long a query waits (alone, and while the background works), what the process
 * takes. Beside it the reference implementation on the same sentences: numpy with 32-bit weights, on one thread as a lane is.
 */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { lanesFor, ProcessEmbedder } from "../../../memory/embed/embedder.ts";
import { buildModels, pythonPackages, runPython } from "../../../models/build.ts";
import { sentence_model, sentence_model_file } from "../../../models/places.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { checkout } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { rowOf, rowOfValue, versus } from "../rows.ts";

const rounds = 8;
const sentences_a_round = 96;
const queries = 200;
const python_sentences = 200;
const embed_command = [process.execPath, join(checkout, "memory/embed/testing/child.ts")];

/** What a log says, without the same text twice. */
export function logSentence(n: number): string {
  const kinds = [
    `service web-${n} was restarted after status ${n % 9}: upstream timed out`,
    `disk sdb reached ${n % 100} % of its space, ${n} MB are left`,
    `connection from 192.0.2.${n % 250} was refused ${n} times in a minute`,
    `the certificate of host-${n}.example.org expires in ${n % 90} days`,
  ];
  return kinds[n % kinds.length] ?? "";
}

export async function benchEmbed(): Promise<BenchRow[]> {
  await buildModels("edge");
  const lanes = lanesFor(availableParallelism());
  const begin_ms = performance.now();
  const embedder = new ProcessEmbedder({ command: embed_command, model_path: sentence_model_file, lanes, log: () => {} });
  try {
    await waitFor("the model", async () => embedder.model, { limit_ms: 60_000, every_ms: 2 });
    const load_ms = performance.now() - begin_ms;
    const rows = await measured(embedder, lanes);
    const rss_bytes = Number(embedder.facts()["embed_rss_bytes"]);
    return [
      ...rows,
      rowOfValue("embedding process, from start to loaded", "ms", load_ms),
      rowOfValue("embedding process, RSS", "bytes", rss_bytes),
    ];
  } finally {
    embedder.stop();
  }
}

async function measured(embedder: ProcessEmbedder, lanes: number): Promise<BenchRow[]> {
  let next = 0;
  const fresh = (count: number): string[] => Array.from({ length: count }, () => logSentence(next++));
  await embedder.embed(fresh(32), "background");
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const begin_ms = performance.now();
    await Promise.all(Array.from({ length: sentences_a_round / 32 }, () => embedder.embed(fresh(32), "background")));
    rates.push((sentences_a_round / (performance.now() - begin_ms)) * 1000);
  }
  const alone = await latencies(embedder, () => fresh(1));
  const known = ["what did we decide about the disk?"];
  await embedder.embed(known, "query");
  const cached = await latencies(embedder, () => known);
  const controller = new AbortController();
  const background = embedder.embed(fresh(4000), "background", controller.signal).catch(() => {});
  const beside = await latencies(embedder, () => fresh(1));
  controller.abort();
  await background;
  const theirs = await referenceTimes();
  const their_rate = rowOf(
    "",
    "1/s",
    theirs.map((ms) => 1000 / ms),
  );
  return [
    versus(rowOf(`sentences embedded, ${lanes} at once`, "1/s", rates), "reference in numpy, one thread", their_rate),
    versus(rowOf("query embedded", "ms", alone), "reference in numpy, one thread", rowOf("", "ms", theirs)),
    rowOf("query embedded while the background works", "ms", beside),
    rowOf("query embedded, known", "ms", cached),
  ];
}

async function latencies(embedder: ProcessEmbedder, question: () => readonly string[]): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < queries; n += 1) {
    const texts = question();
    const begin_ms = performance.now();
    await embedder.embed(texts, "query");
    samples.push(performance.now() - begin_ms);
  }
  return samples;
}

/** Milliseconds a sentence. */
async function referenceTimes(): Promise<number[]> {
  const source = join(checkout, "models", sentence_model.name);
  const folder = mkdtempSync(join(tmpdir(), "bench-embed-"));
  const [sentences, times] = [join(folder, "sentences"), join(folder, "times")];
  writeFileSync(sentences, Array.from({ length: python_sentences }, (_, n) => logSentence(n)).join("\n"));
  await runPython(await pythonPackages(join(source, "requirements.txt")), [join(source, "reference.py"), sentences, times, "--time"]);
  const lines = readFileSync(times, "utf8").trim().split("\n");
  return lines.map((line) => Number(/"took_ms": ([0-9.]+)/.exec(line)?.[1]));
}
