/** Triage as the operational tier does it: earlier cases of the real memory, and a real model. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Try } from "../../contracts/learning.ts";
import type { Memory } from "../../contracts/memory/record.ts";
import type { LocalModel } from "../model/local/local-model.ts";
import { has_models, loadedModel, small } from "../model/local/testing/models.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { loadThresholds } from "../router/thresholds.ts";
import { bundled_alarms } from "../sensors/alarms/index.ts";
import { credulous, startThinking, type Thinking } from "../testing/thinking.ts";
import { candidateOf, operationalJudge } from "./judge.ts";
import { kindOf, kinds } from "./kinds.ts";
import { ModelSignal } from "./model-signal.ts";
import { areSure, type Found, isKnown, votesFor } from "./neighbours.ts";

setDefaultTimeout(300_000);

const begin = loadThresholds();
const patient = { ...begin, deadlines: credulous(begin).deadlines };

const other = { alarm: "service-unwell", subject: "web" };

function found(rule: string, outcome: string, cosine: number, matter = "service-down web"): Found {
  const memory = { id: "0badcafe-tactical-1", kind: "lesson", outcome, body: { rule, matter } };
  return { memory, meaning: { cosine }, words: null, usefulness: 1 };
}

test("earlier cases count as much as they are alike; with none the chance is even", () => {
  const chance = (cases: readonly Found[]): number =>
    votesFor(["playbook a"], cases, other, begin.neighbours).get("playbook a")?.chance ?? -1;
  expect(chance([])).toBe(0.5);
  expect(chance([found("playbook a", "worked", 1)])).toBeCloseTo(2 / 3, 9);
  expect(chance([found("playbook a", "no-effect", 1)])).toBeCloseTo(1 / 3, 9);
  const near = chance([found("playbook a", "worked", 0.9)]);
  const far = chance([found("playbook a", "worked", 0.6)]);
  expect(near).toBeGreaterThan(far);
  expect(far).toBeGreaterThan(0.5);
  const says_nothing = [found("playbook b", "worked", 1), found("playbook a", "pending", 1), found("playbook a", "worked", 0.3)];
  expect(chance(says_nothing)).toBe(0.5);
});

test("earlier cases alone are sure when many alike helped, and hardly one did not", () => {
  const sure = (worked: number, failed: number): boolean => {
    const cases = [
      ...Array.from({ length: worked }, () => found("playbook a", "worked", 1)),
      ...Array.from({ length: failed }, () => found("playbook a", "no-effect", 1)),
    ];
    return areSure(votesFor(["playbook a"], cases, other, begin.neighbours).values(), begin.neighbours);
  };
  expect([sure(7, 0), sure(8, 0), sure(14, 1)]).toEqual([false, true, true]);
  expect([sure(5, 0), sure(10, 3)]).toEqual([false, false]);
});

test("known is what was met before, by its name or because it is much alike", () => {
  const known = (alarm: string, cosine: number): boolean =>
    isKnown([found("r", "worked", cosine)], { alarm, subject: "db" }, begin.neighbours);
  expect(known("service-down", 0.5)).toBe(true);
  expect(known("disk-full", 0.5)).toBe(false);
  expect(known("disk-full", 0.95)).toBe(true);
});

test("the names of alarms say which part of the system they are about, where they can", () => {
  for (const [alarm, kind] of [
    ["disk-full", "disk"],
    ["service-down", "service"],
    ["dns-silent", "network"],
  ] as const)
    expect(kindOf(alarm)).toBe(kind);
  expect(kindOf("log-new-line")).toBeNull();
  const said = Object.keys(bundled_alarms).filter((file) => kindOf(file.replace(/\.yaml$/, "")) !== null);
  expect(said.length).toBeGreaterThan(20);
});

describe.skipIf(!has_models)("with SmolLM2", () => {
  let model: LocalModel;
  let thinking: Thinking;
  beforeAll(async () => {
    model = await loadedModel(small());
    thinking = await startThinking(model, patient);
  });
  afterAll(async () => {
    model?.stop("the test is over");
    await thinking?.stop();
  });

  const alarm = { alarm: "disk-full", subject: "data", detail: "the data disk is nearly full" };
  const summary = "disk-full of data: the data disk is nearly full";
  let lessons = 0;
  const lesson = (rule: string, outcome: Memory["outcome"]): Memory => ({
    ...{
      id: `0badcafe-tactical-${++lessons}`,
      time_ms: Date.now(),
      boot_ms: lessons,
      kind: "lesson",
      source: "tactical",
      severity: "error",
    },
    ...{ tier: "tactical", tool: "sys.clean", service: null, outcome, taint: [], links: [] },
    text: `Against the alarm disk-full data, ${rule} (sys.clean) ${outcome === "worked" ? "helped: the alarm was cleared" : "did not help"}.`,
    body: { matter: "disk-full data", rule, incident: "0badcafe-incident-1" },
  });

  test("what every question begins with is read beforehand", async () => {
    const all = loadPlaybooks(bundled_playbooks).loaded.map(({ name }) => ({
      ...{ rule: `playbook ${name}`, name, does: "does what was never said before" },
    }));
    const signal = new ModelSignal({ model, deadlines: patient.deadlines, all: () => all });
    await signal.warm();
    const { tokens } = await signal.weigh(thinking.event(alarm), all.slice(0, 2));
    // of two questions, with nothing of the list
    expect(tokens).toBeLessThan(120);
  });

  test("which number it is this time makes no other question: what has been answered is not asked again", async () => {
    const all = loadPlaybooks(bundled_playbooks).loaded.map(candidateOf);
    const signal = new ModelSignal({ model, deadlines: patient.deadlines, all: () => all, name: () => model.model.name });
    const told = (detail: string, untrusted: string) => thinking.event({ ...alarm, detail, untrusted });
    const first = await signal.weigh(told("web listens on 8081 of 192.0.2.1", "pid 4711 of web-2.1-1"), all.slice(0, 2));
    const again = await signal.weigh(told("web listens on 80 of 10.0.0.7", "pid 9 of web-2.2"), all.slice(0, 2));
    expect([first.tokens > 0, again.tokens]).toEqual([true, 0]);
    expect(again.chances).toEqual(first.chances);
    const other = await signal.weigh(told("db listens on 80 of 10.0.0.7", "pid 9 of web-2.2"), all.slice(0, 2));
    expect(other.tokens).toBeGreaterThan(0);
  });

  test("what was never met is new, and every playbook that fits is as likely as not; the model's word is kept, not yet counted", async () => {
    const { triage, tokens } = await thinking.judge.judge(thinking.event(alarm), summary);
    expect(triage).toMatchObject({ kind: "disk", known: false });
    const fitting = ["playbook disk-full", "playbook disk-full-at-once", "playbook disk-full-generations"];
    expect(triage.options.map(({ rule }) => rule).sort()).toEqual(fitting);
    for (const { confidence, signals } of triage.options) {
      expect(confidence).toBe(0.5);
      expect(signals["neighbours"]).toBe(0.5);
      expect(signals["model"]).toBeGreaterThan(0);
    }
    expect(triage.said).toContain("0 earlier cases; model: chose in");
    expect(tokens).toBeGreaterThan(0);
  });

  test("what helped before is likelier the next time, and known", async () => {
    const memories = [
      ...Array.from({ length: 3 }, () => lesson("playbook disk-full-at-once", "worked")),
      ...Array.from({ length: 2 }, () => lesson("playbook disk-full", "no-effect")),
    ];
    await thinking.memory.call("append", { memories });
    const { triage, memories: based_on } = await thinking.judge.judge(thinking.event(alarm), summary);
    expect(triage.known).toBe(true);
    expect(triage.options.map(({ rule }) => rule)).toEqual([
      "playbook disk-full-at-once",
      "playbook disk-full-generations",
      "playbook disk-full",
    ]);
    expect(triage.options[0]?.confidence).toBeGreaterThan(0.6);
    expect(triage.options[2]?.confidence).toBeLessThan(0.45);
    expect(based_on).toEqual(expect.arrayContaining(memories.map(({ id }) => id)));
  });

  test("with enough outcomes on record the chance is calibrated on them: what was overrated is so no more", async () => {
    const past = Array.from({ length: 40 }, (_, at) => tried(at, at % 4 === 0));
    const ask = (): Promise<never> => Promise.reject(new Error("memory is away"));
    const signal = new ModelSignal({ model, deadlines: patient.deadlines, all: () => [] });
    const judge = operationalJudge({ ask, thresholds: patient, playbooks: () => [], tries: async () => past, model: signal });
    const none = await judge.judge(thinking.event(alarm), summary);
    expect(none.triage.options).toEqual([]);
    expect(none.triage.said).toContain("calibrated on 40 outcomes");
    expect(none.triage.said).toContain("memory is away");
    const playbooks = loadPlaybooks(bundled_playbooks).loaded.filter(({ name }) => name === "disk-full");
    const judged = operationalJudge({ ask, thresholds: patient, playbooks: () => playbooks, tries: async () => past, model: null });
    const { triage } = await judged.judge(thinking.event(alarm), summary);
    expect(triage.options[0]?.signals).toEqual({ neighbours: 0.5 });
    // even odds were said, and one of four helped
    expect(triage.options[0]?.confidence).toBeCloseTo(0.25, 1);
    // but of this rule nobody has said anything: its own record is to be weighed in
    expect(triage.options[0]?.calibrated).toBe(false);
    const heard = { who: "classifier", weigh: async () => ({ chances: new Map([["playbook disk-full", 0.5]]), said: "", tokens: 0 }) };
    const all = { ask, thresholds: patient, playbooks: () => playbooks, tries: async () => past, model: null, others: [heard] };
    expect((await operationalJudge(all).judge(thinking.event(alarm), summary)).triage.options[0]?.calibrated).toBe(true);
  });

  test("what its name does not say the model is asked", async () => {
    const event = thinking.event({
      alarm: "log-new",
      subject: "kernel",
      detail: "a line that was never seen",
      untrusted: "link eth0 is down",
    });
    const { triage } = await thinking.judge.judge(event, "log-new of kernel");
    expect(kinds).toContain(triage.kind);
  });

  test("a model that is too slow, or none, holds nothing up, and that is said", async () => {
    const hasty = { ...patient, deadlines: { ...patient.deadlines, operational_choice_ms: 1 } };
    const all = () => [{ rule: "playbook disk-full", name: "disk-full", does: "frees room" }];
    const slow = new ModelSignal({ model, deadlines: hasty.deadlines, all });
    const event = thinking.event(alarm);
    expect(await slow.weigh(event, all())).toMatchObject({ said: "took longer than 1 ms", tokens: 0 });
    expect(await slow.weigh(event, all())).toMatchObject({ said: "was too slow a moment ago" });
    model.stop("the test takes it away");
    const { triage } = await thinking.judge.judge(event, summary);
    expect(triage.said).toContain("the test takes it away");
    expect(triage.options.every(({ signals }) => signals["model"] === undefined)).toBe(true);
  });
});

function tried(at: number, helped: boolean): Try {
  return {
    ...{ time_ms: at, alarm: "disk-full", subject: "data", tier: "tactical", rule: "playbook disk-full" },
    ...{ confidence: 0.5, signals: { neighbours: 0.5 }, helped },
  };
}
