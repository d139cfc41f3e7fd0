import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decision } from "../../contracts/decision.ts";
import { learning_methods } from "../../contracts/memory/learning.ts";
import { openFile } from "../../wire/database.ts";
import { memory_file } from "../store/migrations.ts";
import { openMemory } from "../testing/in-process.ts";

const { "learning.records": records, "learning.dry_runs": dry_runs, "learning.alarms": alarms, "learning.cases": cases } = learning_methods;
const tries = learning_methods["learning.tries"];
const folder = (): string => mkdtempSync(join(tmpdir(), "outcomes-"));

let made = 0;
interface Case {
  readonly rule: string;
  readonly result: Decision["outcome"]["result"];
  readonly tier?: Decision["tier"];
  /** Which alarm, by number. */
  readonly on?: number;
  readonly alarm?: string;
  readonly tokens?: number;
  readonly detail?: string;
}

function decisionOf({ rule, result, tier = "tactical", on = ++made, alarm = "disk-full", tokens = 0, detail = "full" }: Case): Decision {
  made += 1;
  return Decision.parse({
    ...{ id: `0badcafe-d-${tier}-${made}`, time_ms: made * 1000, boot_ms: on * 1000 + 500, tier, rule, reason: "so", took_us: 5 },
    trigger: {
      ...{ id: `0badcafe-reactive-${on}`, time_ms: on * 1000, boot_ms: on * 1000, source: "reactive", severity: "error" },
      ...{ kind: "alarm.changed", facts: { alarm, subject: "data", raised: true, value: 1, limit: 1, stood_ms: 0, detail } },
    },
    asked: [{ who: "model", said: "this", took_ms: 20, tokens, usd: tokens / 1000 }],
    action: { do: "call", calls: [{ tool: "sys.clean", arguments: {} }] },
    outcome: { result, detail: "", after_ms: result === "pending" ? null : 250 },
  });
}

async function remembered(all: readonly Decision[]) {
  const memory = openMemory(folder(), folder());
  for (const decision of all) await memory.call("decisions.append", { decisions: [decision] });
  return memory;
}

test("a record counts by rule and tier what came to an end, once however often it is told", async () => {
  const pending = decisionOf({ rule: "playbook a", result: "pending" });
  const memory = await remembered([
    decisionOf({ rule: "playbook a", result: "done" }),
    decisionOf({ rule: "playbook a", result: "failed" }),
    pending,
    { ...pending, outcome: { result: "done", detail: "", after_ms: 3 } },
    { ...pending, outcome: { result: "done", detail: "", after_ms: 3 } },
    decisionOf({ rule: "playbook a", result: "refused", tier: "reactive" }),
    decisionOf({ rule: "playbook b", result: "done" }),
  ]);
  const of_a = records.result.parse(await memory.call("learning.records", { rules: ["playbook a"], limit: 10 }));
  expect(of_a).toMatchObject([
    { tier: "reactive", worked: 0, failed: 0, refused: 1, worked_since_failure: 0, last_failed_ms: null },
    { tier: "tactical", worked: 2, failed: 1, refused: 0, worked_since_failure: 1, last_failed_ms: expect.any(Number) },
  ]);
  expect(records.result.parse(await memory.call("learning.records", { rules: null, limit: 10 }))).toHaveLength(3);
});

test("hundreds of tries fit into one answer, however much their decisions say, and others' do not push them out", async () => {
  const long = "it is full, and this is what the sensor said of it; ".repeat(5);
  const asked = Array.from({ length: 4 }, () => ({ who: "playbooks", said: "x".repeat(400), took_ms: 1, tokens: 0, usd: 0 }));
  const all = Array.from({ length: 400 }, (_, n): Decision[] => {
    const one = { ...decisionOf({ rule: "playbook a", result: n % 2 === 0 ? "done" : "failed", detail: long }), asked, confidence: 0.5 };
    const beside = [
      decisionOf({ rule: "trial a", result: "suppressed", tier: "reactive" }),
      decisionOf({ rule: "playbook a", result: "refused" }),
    ];
    return [{ ...one, signals: { neighbours: 0.25, model: 0.75 } }, ...beside];
  }).flat();
  const memory = openMemory(folder(), folder());
  for (let at = 0; at < all.length; at += 100) await memory.call("decisions.append", { decisions: all.slice(at, at + 100) });
  expect(Decision.array().parse(await memory.call("decisions.list", { limit: 1000 })).length).toBeLessThan(400);
  const found = tries.result.parse(await memory.call("learning.tries", { limit: 1000 }));
  expect(found).toHaveLength(400);
  expect(found.map(({ helped }) => helped)).toEqual(Array.from({ length: 400 }, (_, n) => n % 2 === 0));
  expect(found[0]).toMatchObject({
    ...{ alarm: "disk-full", subject: "data", tier: "tactical", rule: "playbook a", confidence: 0.5 },
    signals: { neighbours: 0.25, model: 0.75 },
  });
  expect(tries.result.parse(await memory.call("learning.tries", { limit: 3 }))).toEqual(found.slice(-3));
}, 60_000);

test("a dry run tells who then solved it, and is no try itself", async () => {
  const memory = await remembered([
    decisionOf({ rule: "trial a", result: "suppressed", tier: "reactive", on: 901 }),
    decisionOf({ rule: "playbook b", result: "failed", on: 901 }),
    decisionOf({ rule: "playbook a", result: "done", on: 901 }),
    decisionOf({ rule: "trial a", result: "refused", tier: "reactive", on: 902 }),
  ]);
  expect(dry_runs.result.parse(await memory.call("learning.dry_runs", { rule: "trial a", limit: 10 }))).toMatchObject([
    { allowed: false, solved_by: null },
    { allowed: true, solved_by: "playbook a" },
  ]);
  expect(alarms.result.parse(await memory.call("learning.alarms", { limit: 10 }))).toMatchObject([
    { seen: 1, solved: 1, last: { tries: 2 } },
  ]);
});

test("an alarm tells how it was solved first and last: tier, time to repair, and what deciding cost with all that was tried", async () => {
  const memory = await remembered([
    decisionOf({ rule: "model x", result: "failed", on: 801, tokens: 400 }),
    decisionOf({ rule: "strategic y", result: "done", tier: "strategic", on: 801, tokens: 600 }),
    decisionOf({ rule: "playbook y", result: "done", on: 802 }),
    decisionOf({ rule: "playbook z", result: "failed", on: 803, alarm: "dns-silent" }),
  ]);
  expect(alarms.result.parse(await memory.call("learning.alarms", { limit: 10 }))).toMatchObject([
    {
      ...{ alarm: "disk-full", seen: 2, solved: 2 },
      first: { rule: "strategic y", tier: "strategic", repair_ms: 750, tokens: 1000, usd: 1, asked_ms: 40, tries: 2 },
      last: { rule: "playbook y", tier: "tactical", tokens: 0, tries: 1 },
    },
    { alarm: "dns-silent", seen: 1, solved: 0, first: null, last: null },
  ]);
});

test("cases come page by page, with secrets taken out and what is from outside marked", async () => {
  const outside = decisionOf({ rule: "playbook a", result: "done", detail: "password=hunter2hunter2 was said" });
  const tainted = { ...outside, trigger: { ...outside.trigger, untrusted: "x" } };
  const memory = await remembered([
    decisionOf({ rule: "playbook a", result: "failed" }),
    decisionOf({ rule: "playbook a", result: "pending" }),
    tainted,
  ]);
  const first = cases.result.parse(await memory.call("learning.cases", { after: null, limit: 1 }));
  expect(first).toMatchObject({ cases: [{ result: "failed", taint: [], tools: ["sys.clean"] }], more: true });
  const second = cases.result.parse(await memory.call("learning.cases", { after: first.cases[0]?.decision, limit: 1 }));
  expect(second).toMatchObject({
    cases: [{ result: "done", detail: "password=[redacted] was said", taint: ["event:alarm.changed"] }],
    more: false,
  });
});

test("a memory of an older schema has its rows too", async () => {
  const data = folder();
  mkdirSync(join(data, "memory"));
  const old = openFile(join(data, "memory/memory.db"), { ...memory_file, migrations: memory_file.migrations.slice(0, 6) });
  const decision = decisionOf({ rule: "playbook a", result: "done", tokens: 70 });
  old
    .prepare("INSERT INTO decisions (id, trigger_id, time_ms, rule, result, body) VALUES (?, ?, 1, 'playbook a', 'done', ?)")
    .run(decision.id, decision.trigger.id, JSON.stringify(decision));
  old.close();
  const memory = openMemory(data, folder());
  expect(alarms.result.parse(await memory.call("learning.alarms", { limit: 10 }))).toMatchObject([
    { alarm: "disk-full", first: { rule: "playbook a", repair_ms: 750, tokens: 70, usd: 0.07 } },
  ]);
});
