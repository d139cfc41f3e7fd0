import { expect, test } from "bun:test";
import { Learning, type Stage } from "../../contracts/learning.ts";
import { Playbook } from "../../contracts/playbook.ts";
import type { Known } from "../learning/library.ts";
import { Ids } from "../shared/ids.ts";
import type { AlarmEvent } from "../shared/standing.ts";
import { Promoted } from "./promoted.ts";

const boot = "0badcafe-0000-4000-8000-000000000000";
const known = (name: string, stage: Stage, version = 1): Known => ({
  playbook: Playbook.parse({
    ...{ name, alarms: ["service-down"], subject: "^[a-z]+$", does: "starts it", watch_ms: 1000 },
    steps: [{ tool: "service.restart", arguments: { name: "{subject}" }, why: "it helps" }],
  }),
  learning: Learning.parse({ playbook: name, stage }),
  document: { id: `playbooks/stage-${name}`, version, time_ms: 0, text: "" },
  bundled: true,
  overridden: false,
});
function promoted(...all: Known[]): Promoted {
  const made = new Promoted(new Ids("reactive", boot, 0), () => 5);
  made.set(all);
  return made;
}
let number = 0;
const alarm = (subject: string, raised = true, more: Partial<AlarmEvent> = {}): AlarmEvent => ({
  ...{ id: `0badcafe-reactive-${++number}`, time_ms: 1, boot_ms: 1, source: "reactive", severity: "error", kind: "alarm.changed" },
  facts: { alarm: "service-down", subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "" },
  ...more,
});
const told = (made: Promoted, event: AlarmEvent) => made.take(event).map(({ decision }) => [decision.rule, decision.outcome.result]);

test("one rule at most acts on an alarm, trials note beside it, and nothing else is matched", () => {
  const made = promoted(known("a", "rule"), known("b", "rule"), known("c", "trial"), known("d", "playbook"), known("e", "retired"));
  expect(made.count).toBe(3);
  expect(told(made, alarm("web"))).toEqual([
    ["playbook a", "pending"],
    ["trial c", "pending"],
  ]);
  expect(told(made, alarm("web", false))).toEqual([]);
  expect(told(made, alarm("WEB"))).toEqual([]);
});

test("a rule is watched until what its alarm is about is measured again", () => {
  const rule = known("a", "rule");
  const made = promoted({ ...rule, playbook: { ...rule.playbook, alarms: ["service-down", "service-files"] } });
  const watched = (name: string) => {
    const { facts, ...event } = alarm("web");
    return made
      .take({ ...event, facts: { ...facts, alarm: name } })
      .map(({ decision: { action } }) => action.do === "call" && action.watch_ms);
  };
  expect([watched("service-down"), watched("service-files")]).toEqual([[1000], [90_000]]);
});

test("what comes back at once is left to the tiers above after three tries; another matter is not", () => {
  const made = promoted(known("a", "rule"));
  const results = Array.from({ length: 4 }, () => told(made, alarm("web"))[0]?.[1]);
  expect(results).toEqual(["pending", "pending", "pending", "suppressed"]);
  expect(told(made, alarm("db"))).toEqual([["playbook a", "pending"]]);
});

test("a rule that was switched off stays off until its document is another one", () => {
  const made = promoted(known("a", "rule"));
  made.switchOff(known("a", "rule"));
  made.set([known("a", "rule")]);
  expect(told(made, alarm("web"))).toEqual([]);
  made.set([known("a", "rule", 2)]);
  expect(told(made, alarm("web"))).toEqual([["playbook a", "pending"]]);
});

test("where an alarm tells text from outside the calls of what was learned are marked as a whole, those of the image are not", () => {
  const callsOf = (bundled: boolean, event: AlarmEvent) =>
    promoted({ ...known("a", "rule"), bundled })
      .take(event)
      .map(({ decision: { action } }) => (action.do === "call" ? action.calls[0] : null));
  expect(callsOf(false, alarm("web"))).toMatchObject([{ arguments: { name: "web" }, tainted: [] }]);
  expect(callsOf(false, alarm("db", true, { untrusted: "db" }))).toMatchObject([{ tainted: [""] }]);
  expect(callsOf(true, alarm("db", true, { untrusted: "db" }))).toMatchObject([{ arguments: { name: "db" }, tainted: [] }]);
});
