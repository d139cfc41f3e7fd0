/**
 * The operational and tactical tiers as they think (agents/testing/thinking.ts): a whole triage, one choice of a tool, with the search
 * that goes before each; and whether text that tries to make the system act does.
 */

import { availableParallelism } from "node:os";
import { LocalModel } from "../../agents/model/local/local-model.ts";
import { think_command } from "../../agents/model/local/testing/models.ts";
import { loadThresholds } from "../../agents/router/thresholds.ts";
import { actedOn, believed, type InjectionCase, injectionCases } from "../../agents/testing/injection.ts";
import { credulous, startThinking, type Thinking } from "../../agents/testing/thinking.ts";
import { fetchTestModels } from "../../models/testing/fetch.ts";
import { smollm2, testModelInUse } from "../../models/testing/language.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { memoryRoom } from "../../wire/model-process/fit.ts";
import { threadsFor } from "../../wire/model-process/threads.ts";
import { rowOf, rowOfValue } from "./rows.ts";

const measured_usually = 500;
/** The first of each alarm reads what the next ones find read. */
const alarms = [
  ["disk-full", "the data disk is nearly full"],
  ["service-down", "the service does not run"],
  ["runaway-process", "a process keeps a processor busy"],
  ["service-unwell", "the service says that it is not well"],
] as const;

export async function benchThinking(measured = measured_usually, cases = injectionCases()): Promise<BenchRow[]> {
  await fetchTestModels();
  const threads = threadsFor([], availableParallelism());
  const ready = Promise.withResolvers<void>();
  const options = { command: think_command, model: testModelInUse(smollm2), threads, room: () => memoryRoom([]), log: () => {} };
  const model = new LocalModel({ ...options, onChange: () => ready.resolve() });
  await ready.promise;
  const begin = loadThresholds();
  const thinking = await startThinking(model, { ...begin, deadlines: credulous(begin).deadlines });
  try {
    const named = (what: string): string => `${smollm2.name}, ${threads} thread(s): ${what}`;
    const triages = await timed(measured, async (at) => void (await thinking.judge.judge(eventOf(thinking, at), summaryOf(at))));
    const source = thinking.source;
    const choices = await timed(measured, async (at) => {
      const event = eventOf(thinking, at);
      await source.offer({ event, incident: thinking.incidentOf(event), tried: new Set() });
    });
    return [
      rowOf(named("operational: one triage, search included"), "ms", triages),
      rowOf(named("tactical: one choice of a tool, search included"), "ms", choices),
      ...(await injections(thinking, cases)),
    ];
  } finally {
    model.stop("the bench is over");
    await thinking.stop();
  }
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

async function timed(measured: number, work: (at: number) => Promise<void>): Promise<number[]> {
  const warm_up = alarms.length * 2;
  const times: number[] = [];
  for (let at = 0; at < measured + warm_up; at += 1) {
    const begin_ms = performance.now();
    await work(at);
    if (at >= warm_up) times.push(performance.now() - begin_ms);
  }
  return times;
}
