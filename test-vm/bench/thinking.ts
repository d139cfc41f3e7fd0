/**
 * The operational and tactical tiers as they think (agents/testing/thinking.ts): a whole triage, one choice of a tool, each with where
 * its time goes; how often the model is right where it is known what is; whether text that tries to make the system act does.
 */

import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LocalModel, threadWords } from "../../agents/model/local/local-model.ts";
import { think_command } from "../../agents/model/local/testing/models.ts";
import type { ChoiceModel } from "../../agents/model/port.ts";
import { candidateOf } from "../../agents/operational/judge.ts";
import { ModelSignal } from "../../agents/operational/model-signal.ts";
import { bundled_playbooks } from "../../agents/playbooks/index.ts";
import { loadPlaybooks } from "../../agents/playbooks/playbooks.ts";
import { Chooser } from "../../agents/prompts/chooser.ts";
import { loadPrompts } from "../../agents/prompts/prompts.ts";
import { loadThresholds } from "../../agents/router/thresholds.ts";
import { writingRequest, writtenIn } from "../../agents/tactical/model-source.ts";
import { asOffered } from "../../agents/tactical/tools.ts";
import { actedOn, believed, type InjectionCase, injectionCases } from "../../agents/testing/injection.ts";
import { labelledAlarms } from "../../agents/testing/labelled.ts";
import { credulous, startThinking, type Thinking } from "../../agents/testing/thinking.ts";
import type { JsonSchema } from "../../contracts/model/chat.ts";
import type { Prompt, PromptCase } from "../../contracts/prompt.ts";
import { fetchTestModels } from "../../models/testing/fetch.ts";
import { smollm2, testModelInUse } from "../../models/testing/language.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { testDescriptions } from "../../tools/testing/catalog.ts";
import { memoryRoom } from "../../wire/model-process/fit.ts";
import { threadsFor } from "../../wire/model-process/threads.ts";
import { rowOf, rowOfValue, Samples } from "./rows.ts";

const measured_usually = 500;
/** The first of each alarm reads what the next ones find read. */
const alarms = [
  ["disk-full", "the data disk is nearly full"],
  ["service-down", "a service that should run does not"],
  ["runaway-process", "a process has kept a whole processor busy for minutes"],
  ["service-unwell", "a service says that it cannot do all of its work"],
] as const;
const searches = ["memory.search", "knowledge.search", "knowledge.list"];

/** What of a decision went where, in milliseconds, and how many tokens were read. */
interface Parts {
  search: number;
  read: number;
  weighed: number;
  asked: number;
  tokens: number;
}

export async function benchThinking(measured = measured_usually, cases = injectionCases()): Promise<BenchRow[]> {
  await fetchTestModels();
  const threads = threadsFor([], availableParallelism());
  const ready = Promise.withResolvers<void>();
  const options = { command: think_command, model: testModelInUse(smollm2), threads, room: () => memoryRoom([]), log: () => {} };
  const model = new LocalModel({ ...options, onChange: () => ready.resolve() });
  await ready.promise;
  const begin = loadThresholds();
  const parts: Parts = { search: 0, read: 0, weighed: 0, asked: 0, tokens: 0 };
  /** As long as it is null the model is asked each time, as for an alarm with words that never came before. */
  let known: string | null = null;
  const onAsked = (tool: string, ms: number): void => {
    if (searches.includes(tool)) parts.search += ms;
  };
  const thinking = await startThinking(
    watched(model, parts),
    { ...begin, deadlines: credulous(begin).deadlines },
    { onAsked, model_name: () => known },
  );
  try {
    const named = (what: string): string => `${smollm2.name}, ${threadWords(threads)}: ${what}`;
    const triages = await timed(measured, parts, async (at) => void (await thinking.judge.judge(eventOf(thinking, at), summaryOf(at))));
    const choices = await timed(measured, parts, async (at) => {
      const event = eventOf(thinking, at);
      await thinking.source.offer({ event, incident: thinking.incidentOf(event), tried: new Set() });
    });
    known = smollm2.name;
    const again = await timed(measured, parts, async (at) => void (await thinking.judge.judge(eventOf(thinking, at), summaryOf(at))));
    known = null;
    return [
      ...profile(named("operational: one triage"), triages),
      rowOf(named("operational: one triage of an alarm in words that came before, search included"), "ms", again.total),
      ...profile(named("tactical: one choice of a tool"), choices),
      ...(await rightRows(model, thinking, named)),
      ...(await promptRows(model, named)),
      ...(await injections(thinking, cases)),
    ];
  } finally {
    model.stop("the bench is over");
    await thinking.stop();
  }
}

/** The model, with account kept of what its choices took. */
function watched(model: LocalModel, parts: Parts): ChoiceModel {
  return {
    chat: (request, options) => model.chat(request, options),
    async choose(request, options) {
      const begin_ms = performance.now();
      const answer = await model.choose(request, options);
      parts.asked += performance.now() - begin_ms;
      parts.read += answer.read_ms;
      parts.weighed += answer.took_ms - answer.read_ms;
      parts.tokens += answer.usage.input_tokens + answer.usage.output_tokens;
      return answer;
    },
  };
}

function profile(name: string, { total, parts }: { total: readonly number[]; parts: readonly Parts[] }): BenchRow[] {
  const samples = new Samples();
  for (const [at, one] of parts.entries()) {
    samples.add(`${name}, of that: searching memory and documents`, one.search);
    samples.add(`${name}, of that: the model reads what is new of the prompt`, one.read);
    samples.add(`${name}, of that: the model weighs where options part`, one.weighed);
    samples.add(`${name}, of that: the way to the model's process and back`, one.asked - one.read - one.weighed);
    samples.add(`${name}, of that: the rest`, (total[at] ?? 0) - one.search - one.asked);
  }
  const tokens = rowOf(
    `${name}, tokens that the model reads for it`,
    "tokens",
    parts.map((one) => one.tokens),
  );
  return [rowOf(`${name}, search included`, "ms", total), ...samples.rows("ms"), tokens];
}

/** How often the likeliest answer is right: of the playbooks that fit an alarm, beside three others and none; of the tools that those call. */
async function rightRows(model: LocalModel, thinking: Thinking, named: (what: string) => string): Promise<BenchRow[]> {
  const { deadlines } = credulous(loadThresholds());
  const all = loadPlaybooks(bundled_playbooks).loaded.map(candidateOf);
  const signal = new ModelSignal({ model, deadlines, all: () => all });
  const labelled = labelledAlarms();
  let playbooks = 0;
  let offered = 0;
  let tools = 0;
  for (const { alarm, detail, candidates, right, right_tools } of labelled) {
    const event = thinking.event({ alarm, subject: "web", detail });
    const [best] = [...(await signal.weigh(event, candidates)).chances].sort(([, a], [, b]) => b - a);
    if (best !== undefined && right.has(best[0])) playbooks += 1;
    const list = await thinking.source.shortList(event);
    if (!list.some(({ name }) => right_tools.has(name))) continue;
    offered += 1;
    const { said } = await thinking.source.offer({ event, incident: thinking.incidentOf(event), tried: new Set() });
    if ([...right_tools].some((name) => said.startsWith(`${name} `))) tools += 1;
  }
  const row = (what: string, right: number, of: number): BenchRow => ({ ...rowOfValue(named(what), "ratio", right / of), n: of });
  return [
    row("operational: the likeliest playbook is right", playbooks, labelled.length),
    row("tactical: the short list has a right tool", offered, labelled.length),
    row("tactical: of those, the likeliest tool is right", tools, Math.max(1, offered)),
  ];
}

/** The cases of the prompts' own files in which it is said what is right, as they are, each asked of the model as its tier asks it. */
async function promptRows(model: ChoiceModel, named: (what: string) => string): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const prompt of loadPrompts().loaded) {
    const told = prompt.cases.filter(({ right, right_json }) => right.length > 0 || right_json !== null);
    if (told.length === 0) continue;
    let right = 0;
    for (const one of told) if (await (prompt.answer === "choice" ? choosesRight : writesRight)(model, prompt, one)) right += 1;
    const name = named(`prompt "${prompt.name}": cases of its file that are answered right`);
    rows.push({ ...rowOfValue(name, "ratio", right / told.length), n: told.length });
  }
  return rows;
}

async function choosesRight(model: ChoiceModel, prompt: Prompt, { given, options, right }: PromptCase): Promise<boolean> {
  const { deadlines } = credulous(loadThresholds());
  const { probabilities } = await new Chooser(model).choose(prompt, given, options, ["alarm"], deadlines.tactical_choice_ms);
  return right.includes(options[probabilities.indexOf(Math.max(...probabilities))] ?? "");
}

/** Arguments of the tool that the case names, within its schema. */
async function writesRight(model: ChoiceModel, prompt: Prompt, { given, name, right_json }: PromptCase): Promise<boolean> {
  const tool = testDescriptions().find((one) => one.name === given["tool"]);
  if (tool === undefined) throw new Error(`there is no tool "${given["tool"]}", of which the case "${name}" is`);
  const { input } = asOffered(tool);
  const written = writtenIn(await model.chat(writingRequest(prompt, given, input, credulous(loadThresholds()))));
  const is_right = written !== null && holds({ ...defaultsOf(input), ...written }, right_json ?? {});
  if (!is_right) say(`prompt "${prompt.name}", case "${name}": ${JSON.stringify(written)}`);
  return is_right;
}

const Defaults = z.object({ properties: z.record(z.string(), z.object({ default: z.json().optional() })).default({}) });

function defaultsOf(input: JsonSchema): Record<string, unknown> {
  return Object.fromEntries(Object.entries(Defaults.parse(input).properties).map(([name, one]) => [name, one.default]));
}

function holds(written: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(right).every(([name, value]) => isDeepStrictEqual(written[name], value));
}

/** Cases of which came what should not; 0 is what has to be. */
async function injections(thinking: Thinking, cases: readonly InjectionCase[]): Promise<BenchRow[]> {
  const believing = thinking.sourceWith(credulous(loadThresholds()));
  let acted = 0;
  let acted_believing = 0;
  for (const one of cases) {
    for (const [mode, found] of [
      ["as it is", await actedOn(one, thinking)],
      ["believing its model", await believed(one, thinking, believing)],
    ] as const) {
      if (found.length === 0) continue;
      say(`injection "${one.name}", ${mode}: ${found.join("; ")}`);
      if (mode === "as it is") acted += 1;
      else acted_believing += 1;
    }
  }
  const row = (what: string, count: number): BenchRow => ({
    ...rowOfValue(`injection: cases that acted${what}`, "cases", count),
    n: cases.length,
  });
  return [row("", acted), row(", every word of the model believed", acted_believing)];
}

function eventOf(thinking: Thinking, at: number) {
  const [alarm, detail] = alarms[at % alarms.length] ?? alarms[0];
  const subject = alarm === "runaway-process" ? `pid:${100 + at}@98765` : `name-${at}`;
  return thinking.event({ alarm, subject, detail });
}

function summaryOf(at: number): string {
  const [alarm, detail] = alarms[at % alarms.length] ?? alarms[0];
  return `${alarm} of name-${at}: ${detail}`;
}

async function timed(measured: number, parts: Parts, work: (at: number) => Promise<void>) {
  const warm_up = alarms.length * 2;
  const found: { total: number[]; parts: Parts[] } = { total: [], parts: [] };
  for (let at = 0; at < measured + warm_up; at += 1) {
    Object.assign(parts, { search: 0, read: 0, weighed: 0, asked: 0, tokens: 0 });
    const begin_ms = performance.now();
    await work(at);
    if (at < warm_up) continue;
    found.total.push(performance.now() - begin_ms);
    found.parts.push({ ...parts });
  }
  return found;
}
