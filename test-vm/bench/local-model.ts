/**
 * Models of this machine, in the process and with the threads that a tier gives them: one choice out of four with a prefix that is
 * read already, and how fast prompts are read and answers written, beside llama.cpp alone (`llama-alone.ts`).
 */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { LocalModel, threadWords } from "../../agents/model/local/local-model.ts";
import { think_command } from "../../agents/model/local/testing/models.ts";
import { fetchTestModels } from "../../models/testing/fetch.ts";
import { gemma3, smollm2, type TestModel, testModelFile, testModelInUse } from "../../models/testing/language.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { run } from "../../tooling/run.ts";
import { memoryRoom } from "../../wire/model-process/fit.ts";
import { threadsFor } from "../../wire/model-process/threads.ts";
import { Speeds } from "./llama-alone.ts";
import { rowOf, versus } from "./rows.ts";

const choices = 500;
const choices_of_other = 50;
const chats = 4;
const limit_ms = 600_000;
const options = ["password", "disk", "memory", "network"];
const system = [{ text: "You say which part of a Linux machine a log message is about: password, disk, memory or network.", stable: true }];

export async function benchLocalModels(measured = choices): Promise<BenchRow[]> {
  await fetchTestModels();
  const rows: BenchRow[] = [];
  rows.push(...(await benchModel(smollm2, measured)));
  // no image has it: fewer say how much slower twice the weights are
  rows.push(...(await benchModel(gemma3, Math.min(measured, choices_of_other))));
  return rows;
}

async function benchModel(test_model: TestModel, measured: number): Promise<BenchRow[]> {
  const threads = threadsFor([], availableParallelism());
  const ready = Promise.withResolvers<void>();
  const model = new LocalModel({
    command: think_command,
    model: testModelInUse(test_model),
    threads,
    room: () => memoryRoom([]),
    log: () => {},
    onChange: () => ready.resolve(),
  });
  await ready.promise;
  const named = (what: string): string => `${test_model.name}, ${threadWords(threads)}: ${what}`;
  try {
    const [times, new_tokens] = await timesOfChoices(model, measured);
    const [read, written] = await speeds(model);
    model.stop("llama.cpp has its turn alone");
    const alone = await aloneOn(test_model, threads.idle);
    const beside = (row: BenchRow, speeds_alone: readonly number[]): BenchRow =>
      versus(row, "llama.cpp alone", rowOf("", "", speeds_alone));
    return [
      rowOf(named(`one choice of four, ${new_tokens} new tokens`), "ms", times),
      beside(rowOf(named("prompt read"), "tokens/s", read), alone.read),
      beside(rowOf(named("answer written"), "tokens/s", written), alone.written),
    ];
  } finally {
    model.stop("the bench is over");
  }
}

async function aloneOn(model: TestModel, threads: number) {
  const script = join(import.meta.dir, "llama-alone.ts");
  return Speeds.parse(JSON.parse(await run([process.execPath, script, testModelFile(model), String(threads)])));
}

async function timesOfChoices(model: LocalModel, measured: number): Promise<[times: number[], new_tokens: number]> {
  const times: number[] = [];
  let new_tokens = 0;
  for (let at = 0; at < measured + 5; at += 1) {
    const question = `kernel: ${100 + (at % 900)} blk_update_request: I/O error, dev sda, sector 2048, op write, flags 0x800`;
    const begin_ms = performance.now();
    const { usage } = await model.choose({ system, question, options, limit_ms });
    if (at >= 5) times.push(performance.now() - begin_ms);
    if (at >= 5) new_tokens = Math.max(new_tokens, usage.input_tokens + usage.output_tokens);
  }
  return [times, new_tokens];
}

async function speeds(model: LocalModel): Promise<[read: number[], written: number[]]> {
  const read: number[] = [];
  const written: number[] = [];
  for (let at = 0; at < chats; at += 1) {
    const text = `${at} ${"The disk of the machine is nearly full and the service stopped. ".repeat(30)}`;
    const messages = [{ role: "user" as const, parts: [{ type: "text" as const, text }] }];
    const asked = { system: [], messages, tools: [], tool_choice: "none" as const, answer: null, temperature: 0, limit_ms };
    const { usage, first_token_ms, took_ms } = await model.chat({ ...asked, tokens_max: 32 });
    read.push((usage.input_tokens * 1000) / first_token_ms);
    if (usage.output_tokens > 1) written.push(((usage.output_tokens - 1) * 1000) / (took_ms - first_token_ms));
  }
  return [read, written];
}
