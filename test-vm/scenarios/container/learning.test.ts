/** The same fault again and again: it goes down the tiers, and `aiosctl learn` shows what that saved. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Decision } from "../../../contracts/decision.ts";
import { LearnedAnswer, TrainingCase } from "../../../contracts/learning.ts";
import { type Container, startContainer } from "../../container.ts";
import { patientProgram } from "../../faults/programs.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady, decisionWhere, readyAgain, serviceStatus } from "../expect.ts";

const data = newFolder("data");
const out = mkdtempSync(join(tmpdir(), "learning-"));
const patient = ["/mnt/patient", "/var/lib/aios/services/web"];
const alarm = "service-files";
const rule = "playbook service-restart";
/** As a person writes it who has seen enough. */
const stage = (name: string): string => `---
title: How far the playbook service-restart is
kind: playbook
summary: A person has looked at it.
---
## For tiers
It is what we do every time.

\`\`\`yaml learning
playbook: service-restart
stage: ${name}
\`\`\`
`;

let container: Container;
let aiosctl: Aiosctl;

async function boot(): Promise<void> {
  const config = "network: { default: none }\nsensors: { pace: 60 }\n";
  container = await startContainer({ data, config, programs: await patientProgram() });
  await container.ready("all");
  await allReady(container.console);
  aiosctl = new Aiosctl(container.console_socket);
}
beforeAll(async () => {
  await boot();
  await aiosctl.done("service.define", { name: "web", argv: patient, ready: "notify", heartbeat_ms: 5000 });
}, 300_000);
afterAll(() => container?.kill());

const seen = new Set<string>();
/** The service opens as many files as it may; until it is another process. @returns the decision that helped */
async function fault(): Promise<Decision> {
  const { pid } = await serviceStatus(container.console, "web");
  writeFileSync(join(data, "services/web/do"), "files 1000\n");
  await readyAgain(container.console, "web", pid);
  const about = ({ trigger, outcome, id, rule: by }: Decision): boolean =>
    trigger.kind === "alarm.changed" && trigger.facts.alarm === alarm && outcome.result === "done" && by === rule && !seen.has(id);
  const decision = await decisionWhere(container.console, "that helped", about);
  seen.add(decision.id);
  return decision;
}

async function learned(): Promise<LearnedAnswer> {
  return LearnedAnswer.parse((await aiosctl.call("memory.learned", {})).structuredContent);
}

test("the tactical tier solves it by a playbook", async () => {
  expect(await fault()).toMatchObject({ tier: "tactical", rule, trigger: { facts: { subject: "web" } } });
  const { alarms, playbooks } = await learned();
  expect(alarms.find((one) => one.alarm === alarm)).toMatchObject({ solved: 1, first: { tier: "tactical", tokens: 0 } });
  expect(playbooks.find(({ name }) => name === "service-restart")).toMatchObject({ stage: "playbook", last_tier: "tactical" });
}, 120_000);

test("once it is a rule the reactive tier solves it in the moment of the alarm, and nobody else touches it; also after a reboot", async () => {
  await aiosctl.done("knowledge.add", { id: "playbooks/stage-service-restart", text: stage("rule"), reason: "it helps every time" });
  await container.poweroff();
  await boot();
  await waitFor("the rule to be read", async () => (await serviceStatus(container.console, "reactive")).health?.facts["learned"] === 1, {
    limit_ms: 120_000,
    every_ms: 100,
  });
  await readyAgain(container.console, "web", null);
  const decision = await fault();
  expect(decision).toMatchObject({ tier: "reactive", rule, outcome: { result: "done", detail: "the alarm was cleared" } });
  const all = await container.console.list("decisions", { query: { lines: "1000" } });
  expect(all.filter(({ trigger }) => trigger.id === decision.trigger.id).map(({ tier }) => tier)).toEqual(["reactive"]);
  const calls = await aiosctl.audit("--tool", "service.restart");
  expect(calls.filter(({ reason }) => reason?.event === decision.trigger.id).every(({ principal }) => principal === "tier:reactive")).toBe(
    true,
  );
}, 300_000);

test("aiosctl learn shows who solved it first and last, and exports what there is to learn from", async () => {
  const answer = await learned();
  expect(answer.alarms.find((one) => one.alarm === alarm)).toMatchObject({
    solved: 2,
    first: { tier: "tactical" },
    last: { tier: "reactive" },
  });
  const { out: table, status } = await aiosctl.run("learn");
  expect(status).toBe(0);
  expect(table).toMatch(/service-files +2 +2 +first +tactical/);
  expect(table).toMatch(/service-restart +rule /);
  expect((await aiosctl.run("learn", "show", "service-restart")).out).toContain("It is what we do every time.");
  const file = join(out, "cases.jsonl");
  expect((await aiosctl.run("learn", "export", file)).out).toContain(" cases in ");
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const cases = lines.map((line) => TrainingCase.parse(JSON.parse(line)));
  expect(cases.filter((one) => one.alarm === alarm).map(({ tier, result }) => [tier, result])).toEqual([
    ["tactical", "done"],
    ["reactive", "done"],
  ]);
});
