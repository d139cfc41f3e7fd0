import { expect, test } from "bun:test";
import { LearnedAnswer } from "../../../contracts/learning.ts";
import { noPaint } from "../text/style.ts";
import { learnView, playbookView } from "./learn.ts";

const solved = { tier: "tactical", time_ms: 1, repair_ms: 2100, asked_ms: 12, tokens: 0, usd: 0, tries: 1 };
const answer = LearnedAnswer.parse({
  alarms: [
    {
      ...{ alarm: "service-unwell", seen: 9, solved: 8 },
      first: {
        ...solved,
        decision: "0badcafe-d-strategic-1",
        rule: "strategic plan",
        tier: "strategic",
        tokens: 5200,
        usd: 0.031,
        repair_ms: 61_000,
        tries: 2,
      },
      last: { ...solved, decision: "0badcafe-d-reactive-9", rule: "playbook learned-x", tier: "reactive" },
    },
    { alarm: "dns-silent", seen: 1, solved: 0, first: null, last: null },
  ],
  playbooks: [
    {
      ...{
        name: "learned-x",
        stage: "rule",
        document: "playbooks/learned-x",
        learned_from: "0badcafe-d-strategic-1",
        learned_by: "strategic",
      },
      ...{
        tainted_subject: false,
        worked: 19,
        failed: 0,
        overridden: 0,
        refused: 0,
        worked_since_failure: 19,
        low: 0.8541,
        high: 1,
        last_ms: 1,
        last_tier: "reactive",
      },
      history: [{ time_ms: 0, from: "trial", to: "rule", why: "it agreed\u001b[31m" }],
    },
  ],
  overrides: [
    {
      ...{ how: "undone", by: "person:anna", why: "it was a test\u001b[31m", time_ms: 0, call: "0badcafe-call-7", tool: "service.restart" },
      ...{ decision: "0badcafe-d-reactive-9", rule: "playbook learned-x", tier: "reactive", alarm: "service-unwell", subject: "web" },
    },
  ],
  classifier: {
    in_use: 2,
    versions: [
      {
        version: 2,
        sha256: "0".repeat(64),
        report: {
          ...{ made_ms: 0, embedding: "m", trained_on: 140, held_back: 60, newest: null, rules: ["playbook a"] },
          before: { log_loss: 0.69, brier: 0.25, right: 31 },
          after: { log_loss: 0.3, brier: 0.091, right: 54 },
          ...{ gain_low: 0.21, is_better: true, said: "better" },
        },
      },
    ],
    changes: [{ time_ms: 0, version: 2, why: "it was better" }],
  },
  faults: ["playbooks/x: line 3"],
});
const view = { paint: noPaint, width: undefined };

test("the first time stands above the last, with tier, time and cost; stages with record, bound and reason", () => {
  const text = learnView(answer, view).join("\n");
  expect(text).toMatch(/service-unwell +9 +8 +first +strategic +1 min 1 s +12 ms +5200 +0\.0310 +strategic plan, at the 2\. try/);
  expect(text).toMatch(/\n +last +reactive +2\.1 s +12 ms +0 +0\.0000 +playbook learned-x/);
  expect(text).toMatch(/dns-silent +1 +0 +never .*nothing helped yet/);
  expect(text).toMatch(/learned-x +rule +19 +0 +19 +0\.85 to 1\.00 +reactive +strategic/);
  expect(text).toContain("1970-01-01T00:00:00 learned-x trial -> rule: it agreed");
  expect(text).toMatch(/2, in use +1970-01-01T00:00:00 +140 +60 +31 to 54 +0\.250 to 0\.091 +0\.210/);
  expect(text).toContain("1970-01-01T00:00:00 classifier 2: it was better");
  expect(text).toMatch(
    /1970-01-01T00:00:00 person:anna took back service.restart of playbook learned-x, against service-unwell of web: it was a test.* 0badcafe-d-reactive-9/,
  );
  expect(text).toContain("does not count: playbooks/x: line 3");
  expect(text).not.toContain("\u001b");
});

test("one playbook tells what it was learned from and where it is written", () => {
  const [one] = answer.playbooks;
  if (one === undefined) throw new Error("there is none");
  const text = playbookView(one, view).join("\n");
  const taken_back = playbookView({ ...one, failed: 2, overridden: 2 }, view).join("\n");
  expect([text.includes("took back"), taken_back.includes("people took back 2 of its tries")]).toEqual([false, true]);
  for (const part of ["learned from 0badcafe-d-strategic-1, a decision of the strategic tier", "document playbooks/learned-x"])
    expect(text).toContain(part);
});
