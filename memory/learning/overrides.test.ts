import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decision } from "../../contracts/decision.ts";
import { learning_methods } from "../../contracts/memory/learning.ts";
import { Recalled } from "../../contracts/memory/record.ts";
import { memoryPermissions } from "../../contracts/memory.ts";
import { Why } from "../../contracts/why.ts";
import { decided } from "../classifier/cases.ts";
import { type InProcess, openMemory } from "../testing/in-process.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "overrides-"));
const { "learning.records": records, "learning.cases": cases, "learning.alarms": alarms, "learning.dry_runs": dry_runs } = learning_methods;

/** A try of the rule `playbook a` against an alarm of its own, n seconds after the first. */
function tryOf(n: number, result: Decision["outcome"]["result"] = "done", rule = "playbook a"): Decision {
  return Decision.parse({
    ...{ id: `0badcafe-d-tactical-${n}`, time_ms: n * 1000, boot_ms: n * 1000 + 500, tier: "tactical", rule, reason: "so", took_us: 5 },
    trigger: {
      ...{ id: `0badcafe-reactive-${n}`, time_ms: n * 1000, boot_ms: n * 1000, source: "reactive", severity: "error" },
      ...{
        kind: "alarm.changed",
        facts: { alarm: "disk-full", subject: "data", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" },
      },
    },
    action: { do: "call", calls: [{ tool: "fs.trash", arguments: {} }] },
    outcome: { result, detail: "", after_ms: result === "pending" ? null : 250 },
  });
}

const takenBack = (n: number, more: Record<string, unknown> = {}) => ({
  ...{ say: "override", decision: `0badcafe-d-tactical-${n}`, call: `0badcafe-call-${n}`, tool: "fs.trash", how: "undone" },
  ...{ by: "person:anna", why: "I need these files", time_ms: n * 1000 + 700 },
  ...more,
});
const anew = (n: number) => ({ say: "anew", call: `0badcafe-call-${n}` });

const tries = learning_methods["learning.tries"];
const put = (memory: InProcess, ...decisions: readonly Decision[]) => memory.call("decisions.append", { decisions });
const say = (memory: InProcess, ...said: readonly unknown[]) => memory.call("learning.override", { said });

async function outcomeOf(memory: InProcess, n: number): Promise<Decision["outcome"]> {
  const [decision] = Decision.array().parse(await memory.call("decisions.get", { ids: [`0badcafe-d-tactical-${n}`] }));
  if (decision === undefined) throw new Error("the decision is not held");
  return decision.outcome;
}
async function recordOf(memory: InProcess) {
  const [record] = records.result.parse(await memory.call("learning.records", { rules: ["playbook a"], limit: 9 }));
  return record;
}
async function memoriesOf(memory: InProcess, ...ids: readonly string[]) {
  return Recalled.array()
    .parse(await memory.call("recall", { ids }))
    .map(({ outcome }) => outcome);
}

const lesson = (n: number) => ({
  ...{ id: `0badcafe-tactical-${n}`, time_ms: n * 1000, boot_ms: n, kind: "lesson", source: "tactical", severity: "error", tier: null },
  ...{ tool: "fs.trash", service: null, outcome: "worked", text: `lesson ${n}`, body: { rule: "playbook a" }, taint: [] },
  links: [{ relation: "learned-from", to: `0badcafe-d-tactical-${n}` }],
});

test("what a person took back is told with who, when and why, and has failed for all who count; told twice it is the same", async () => {
  const data = folder();
  let memory = openMemory(data, folder());
  await put(memory, tryOf(1), tryOf(2), tryOf(3));
  await memory.call("append", { memories: [lesson(1), lesson(2)] });
  const expected = {
    result: "overridden",
    after_ms: 250,
    overridden: { how: "undone", by: "person:anna", why: "I need these files", was: "done" },
  };
  for (const again of [false, true]) {
    expect(await say(memory, takenBack(2))).toEqual({ decisions: 1 });
    if (again) {
      memory.keeper.close();
      memory = openMemory(data, folder());
    }
    expect(await outcomeOf(memory, 2)).toMatchObject(expected);
    expect(await outcomeOf(memory, 3)).toMatchObject({ result: "done" });
    expect(await recordOf(memory)).toMatchObject({ worked: 2, failed: 1, overridden: 1, worked_since_failure: 1, last_failed_ms: 2700 });
    expect(alarms.result.parse(await memory.call("learning.alarms", { limit: 9 }))).toMatchObject([{ seen: 3, solved: 2 }]);
    expect(tries.result.parse(await memory.call("learning.tries", { limit: 9 })).map(({ helped }) => helped)).toEqual([true, false, true]);
    expect(memory.keeper.read(decided).map(({ worked }) => worked)).toEqual([true, false, true]);
    expect(await memoriesOf(memory, "0badcafe-d-tactical-2", "0badcafe-tactical-1", "0badcafe-tactical-2")).toEqual([
      "undone",
      "worked",
      "undone",
    ]);
    expect(cases.result.parse(await memory.call("learning.cases", { after: null, limit: 9 })).cases).toMatchObject([
      { result: "done", overridden: null },
      { result: "overridden", overridden: { by: "person:anna", why: "I need these files", time_ms: 2700, was: "done" } },
      { result: "done", overridden: null },
    ]);
    expect(Why.parse(await memory.call("why", { id: "0badcafe-d-tactical-2" })).decisions).toMatchObject([{ outcome: expected }]);
    expect(await memory.call("learning.overrides", { decisions: null, limit: 9 })).toMatchObject([
      { decision: "0badcafe-d-tactical-2", call: "0badcafe-call-2", rule: "playbook a", alarm: "disk-full", subject: "data" },
    ]);
  }
  memory.keeper.close();
});

test("made anew, it counts as before", async () => {
  const memory = openMemory(folder(), folder());
  await put(memory, tryOf(1), tryOf(2));
  await memory.call("append", { memories: [lesson(2)] });
  await say(memory, takenBack(2));
  expect(await say(memory, anew(2))).toEqual({ decisions: 1 });
  expect(await say(memory, anew(2))).toEqual({ decisions: 0 });
  expect(await outcomeOf(memory, 2)).toEqual({ result: "done", detail: "", after_ms: 250 });
  expect(await recordOf(memory)).toMatchObject({ worked: 2, failed: 0, overridden: 0, worked_since_failure: 2, last_failed_ms: null });
  expect(await memoriesOf(memory, "0badcafe-d-tactical-2", "0badcafe-tactical-2")).toEqual(["worked", "worked"]);
  await say(memory, takenBack(2), anew(2), takenBack(2, { why: "after all" }));
  expect(await outcomeOf(memory, 2)).toMatchObject({ result: "overridden", overridden: { why: "after all" } });
  memory.keeper.close();
});

test("of several calls, one that is made anew leaves the others taken back", async () => {
  const memory = openMemory(folder(), folder());
  await put(memory, tryOf(1));
  await say(memory, takenBack(1), takenBack(1, { call: "0badcafe-call-9", time_ms: 1800 }), anew(9));
  expect(await outcomeOf(memory, 1)).toMatchObject({ result: "overridden", overridden: { call: "0badcafe-call-1" } });
  memory.keeper.close();
});

test("it may be said before the decision has come to an end, and before memory knows of it", async () => {
  const memory = openMemory(folder(), folder());
  expect(await say(memory, takenBack(1), takenBack(2))).toEqual({ decisions: 0 });
  await put(memory, tryOf(1, "pending"));
  expect(await outcomeOf(memory, 1)).toEqual({ result: "pending", detail: "", after_ms: null });
  await put(memory, tryOf(1), tryOf(2, "failed"));
  expect(await outcomeOf(memory, 1)).toMatchObject({ result: "overridden", overridden: { was: "done" } });
  expect(await outcomeOf(memory, 2)).toMatchObject({ result: "overridden", overridden: { was: "failed" } });
  expect(await recordOf(memory)).toMatchObject({ worked: 0, failed: 2, overridden: 2 });
  memory.keeper.close();
});

test("what was declined is kept and told, and counts neither way", async () => {
  const memory = openMemory(folder(), folder());
  const declined = (n: number) => takenBack(n, { how: "declined", why: "not now" });
  await put(memory, tryOf(1, "refused"), tryOf(2, "done"), tryOf(3, "failed"), tryOf(4, "refused"));
  await say(memory, declined(1), declined(2), declined(3));
  for (const [n, result, was] of [
    [1, "refused", "refused"],
    [2, "refused", "done"],
    [3, "failed", "failed"],
  ] as const)
    expect(await outcomeOf(memory, n)).toMatchObject({ result, overridden: { how: "declined", why: "not now", was } });
  expect(await recordOf(memory)).toMatchObject({ worked: 0, failed: 1, overridden: 0, refused: 3 });
  expect(memory.keeper.read(decided).map(({ decision }) => decision)).toEqual(["0badcafe-d-tactical-3"]);
  const told = cases.result.parse(await memory.call("learning.cases", { after: null, limit: 9 })).cases;
  expect(told.map(({ decision, result }) => [decision.at(-1), result])).toEqual([
    ["1", "refused"],
    ["2", "refused"],
    ["3", "failed"],
  ]);
  memory.keeper.close();
});

test("successes count from when the person said so, however old the try was", async () => {
  const memory = openMemory(folder(), folder());
  await put(memory, ...[1, 2, 3, 4, 5, 6].map((n) => tryOf(n)));
  await say(memory, takenBack(2, { time_ms: 5500 }));
  expect(await recordOf(memory)).toMatchObject({ worked: 5, failed: 1, worked_since_failure: 1, last_failed_ms: 5500 });
  await put(memory, tryOf(7));
  await say(memory, takenBack(2, { time_ms: 5500 }));
  expect(await recordOf(memory)).toMatchObject({ worked: 6, worked_since_failure: 2 });
  memory.keeper.close();
});

test("a dry run does not agree with what a person took back", async () => {
  const memory = openMemory(folder(), folder());
  const noted = { ...tryOf(1, "suppressed", "trial a"), id: "0badcafe-d-reactive-1", tier: "reactive" as const };
  await put(memory, noted, tryOf(1));
  const solvedBy = async () =>
    dry_runs.result.parse(await memory.call("learning.dry_runs", { rule: "trial a", limit: 9 })).map(({ solved_by }) => solved_by);
  expect(await solvedBy()).toEqual(["playbook a"]);
  await say(memory, takenBack(1));
  expect(await solvedBy()).toEqual([null]);
  memory.keeper.close();
});

test("what was written down because of a decision is no call of it, and only the broker says what people said", async () => {
  const memory = openMemory(folder(), folder());
  await put(memory, tryOf(1));
  expect(await say(memory, takenBack(1, { tool: "knowledge.add" }))).toEqual({ decisions: 0 });
  expect(await outcomeOf(memory, 1)).toMatchObject({ result: "done" });
  expect(await memory.call("learning.overrides", { decisions: null, limit: 9 })).toEqual([]);
  const may = (["broker", "tactical", "strategic", "console", "reactive"] as const).filter((one) =>
    memoryPermissions(one).includes("learning.override"),
  );
  expect(may).toEqual(["broker"]);
  memory.keeper.close();
});
