/**
 * Whether the right memory is found: a small labelled set, with the real sentence model, by word, by meaning and by both.
 * recall@5: share of the right memories among the first five. MRR: one over the rank of the first right one, on average.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SearchMode } from "../../../contracts/memory/longterm.ts";
import { embedderOf } from "../../../memory/embed/embedder.ts";
import { Keeper } from "../../../memory/keeper.ts";
import { Background } from "../../../memory/longterm/background.ts";
import type { BenchRow } from "../../../tooling/bench.ts";
import { say } from "../../../tooling/progress.ts";
import { checkout } from "../../places.ts";
import { rowOfValue } from "../rows.ts";
import { incidents, questions } from "./quality-set.ts";

const model_path = join(checkout, "build/models/all-minilm-l6-v2.gguf");
const day_ms = 86_400_000;
const now_ms = 1_700_000_000_000;
const model_limit_ms = 60_000;

export async function benchQuality(): Promise<BenchRow[]> {
  if (!existsSync(model_path)) {
    say(`retrieval quality: left out, for there is no "${model_path}"; build the models first`);
    return [];
  }
  const folder = mkdtempSync("/var/tmp/aios-bench-quality-");
  const keeper = new Keeper(folder);
  const embedder = embedderOf({ command: [process.execPath, join(checkout, "main.ts"), "embed"], model_path }, say);
  try {
    const begin_ms = performance.now();
    while (embedder.model === null && performance.now() - begin_ms < model_limit_ms) await Bun.sleep(50);
    keeper.write(({ longterm }) => {
      for (const [n, text] of incidents.entries()) longterm.put(incident(n, text));
    });
    const background = new Background({ keeper, embedder, onTrouble: say });
    background.wake();
    await background.idle();
    const vectors = await embedder.embed(
      questions.map(({ question }) => question),
      "background",
    );
    return (["words", "meaning", "hybrid"] as const).flatMap((mode) => rowsOf(keeper, mode, vectors));
  } finally {
    embedder.stop();
    keeper.close();
    rmSync(folder, { recursive: true });
  }
}

function incident(n: number, text: string) {
  return {
    id: `0badcafe-bench-${n}`,
    time_ms: now_ms - (n + 1) * 3 * day_ms,
    boot_ms: n,
    kind: "incident" as const,
    source: "broker",
    severity: "warning" as const,
    tier: null,
    tool: null,
    service: null,
    outcome: null,
    text,
    body: {},
    taint: [],
    links: [],
  };
}

function rowsOf(keeper: Keeper, mode: SearchMode, vectors: readonly Float32Array[]): BenchRow[] {
  let found = 0;
  let wanted = 0;
  let reciprocal = 0;
  for (const [at, { question, answers }] of questions.entries()) {
    const vector = mode === "words" ? null : (vectors[at] ?? null);
    const answer = keeper.parts.longterm.search({ query: question, filter: {}, limit: 10, mode, vector, now_ms });
    const ids = answer.found.map((one) => Number(one.memory.id.split("-").at(-1)));
    const first = ids.findIndex((id) => answers.includes(id));
    reciprocal += first < 0 ? 0 : 1 / (first + 1);
    found += answers.filter((id) => ids.slice(0, 5).includes(id)).length;
    wanted += answers.length;
  }
  const of = `retrieval, ${mode}, ${questions.length} questions about ${incidents.length} incidents`;
  return [rowOfValue(`${of}: recall@5`, "share", found / wanted), rowOfValue(`${of}: MRR`, "share", reciprocal / questions.length)];
}
