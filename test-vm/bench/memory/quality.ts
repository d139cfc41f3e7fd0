/**
 * Whether the right memory is found: a labelled set, with the real sentence model, by word, by meaning and by both. Fusion is
 * tuned with one part of the questions and reported with the other, of each kind and of all that have an answer.
 * recall@5: share of the right memories among the first five. MRR: one over the rank of the first right one, on average.
 * Of questions that nothing answers: how much of the first five places is filled all the same.
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
import { incidents } from "./quality-incidents.ts";
import { labelled } from "./quality-questions.ts";

const model_path = join(checkout, "build/models/all-minilm-l6-v2.gguf");
const day_ms = 86_400_000;
const now_ms = 1_700_000_000_000;
const model_limit_ms = 60_000;
const shown = 5;

type Kind = keyof typeof labelled;
type Part = "tuning" | "held-out";
interface Question {
  readonly kind: Kind;
  readonly part: Part;
  readonly question: string;
  readonly answers: readonly number[];
}
interface Asked extends Question {
  /** Incidents, best first. */
  readonly found: readonly number[];
}

/** What is asked about two incidents that follow each other, of which the second often is what was done, is in one part. */
function partOf(answers: readonly number[], at: number): Part {
  const by = answers[0] === undefined ? at : answers[0] >> 1;
  return by % 2 === 0 ? "tuning" : "held-out";
}

const kinds = ["paraphrased", "exact", "mixed", "none"] as const satisfies readonly Kind[];
const questions: readonly Question[] = kinds.flatMap((kind) =>
  labelled[kind].map(([question, answers], at) => ({ kind, part: partOf(answers, at), question, answers })),
);

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
  const asked = questions.map((one, at) => ({ ...one, found: foundBy(keeper, mode, one.question, vectors[at] ?? null) }));
  const of = (part: Part, kind: Kind | null): Asked[] =>
    asked.filter((one) => one.part === part && (kind === null ? one.kind !== "none" : one.kind === kind));
  const held_out = kinds.flatMap((kind) => scores(`retrieval, ${mode}, held-out, ${kind}`, of("held-out", kind)));
  const all = (["held-out", "tuning"] as const).flatMap((part) =>
    scores(`retrieval, ${mode}, ${part}, all that have an answer`, of(part, null)),
  );
  return [...all, ...held_out];
}

function foundBy(keeper: Keeper, mode: SearchMode, query: string, vector: Float32Array | null): number[] {
  const question = { query, filter: {}, limit: 10, mode, vector: mode === "words" ? null : vector, now_ms };
  return keeper.parts.longterm.search(question).found.map(({ memory }) => Number(memory.id.split("-").at(-1)));
}

function scores(name: string, asked: readonly Asked[]): BenchRow[] {
  const of = `${name} (${asked.length} questions)`;
  const row = (what: string, value: number): BenchRow => ({ ...rowOfValue(`${of}: ${what}`, "share", value), n: asked.length });
  if (asked.every(({ answers }) => answers.length === 0))
    return [row("places of five that are filled", mean(asked.map(({ found }) => Math.min(shown, found.length) / shown)))];
  const wanted = asked.reduce((sum, { answers }) => sum + answers.length, 0);
  const right = asked.reduce((sum, { answers, found }) => sum + answers.filter((id) => found.slice(0, shown).includes(id)).length, 0);
  const first = asked.map(({ answers, found }) => found.findIndex((id) => answers.includes(id)));
  return [row("recall@5", right / wanted), row("MRR", mean(first.map((at) => (at < 0 ? 0 : 1 / (at + 1)))))];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
