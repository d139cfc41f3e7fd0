import { expect, test } from "bun:test";
import fc from "fast-check";
import { Decision } from "../../contracts/decision.ts";
import { fitting } from "../playbooks/playbooks.ts";
import { distil, type KnownTool, wordsOf } from "./distil.ts";
import { readDocument, writeDocument } from "./document.ts";

type Calls = Extract<Decision["action"], { do: "call" }>["calls"];

const restart: Calls = [{ tool: "service.restart", arguments: { name: "web" } }];
const known: KnownTool = { risk: "compensable", words: wordsOf({ properties: { how: { enum: ["soft", "hard"] } } }) };
const tools = new Map<string, KnownTool>([
  ["service.restart", known],
  ["fs.write", { ...known, risk: "reversible" }],
  ["process.priority", known],
  ["sys.clean", { ...known, risk: "irreversible" }],
]);

function decisionOf(calls: Calls, alarm = "service-unwell", subject = "web", more: Partial<Decision> = {}): Decision {
  return Decision.parse({
    ...{
      id: "0badcafe-d-strategic-7",
      time_ms: 1,
      boot_ms: 2,
      tier: "strategic",
      rule: "strategic plan",
      reason: "it said so",
      took_us: 1,
    },
    trigger: {
      ...{ id: "0badcafe-reactive-1", time_ms: 1, boot_ms: 1, source: "reactive", severity: "error", kind: "alarm.changed" },
      facts: { alarm, subject, raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" },
    },
    action: { do: "call", calls, watch_ms: 5000 },
    outcome: { result: "done", detail: "the alarm was cleared", after_ms: 9 },
    ...more,
  });
}

function learned(decision: Decision, tainted = false) {
  const lesson = distil({ decision, tainted, tools });
  if ("not" in lesson || lesson.playbook === null) throw new Error(`nothing was learned: ${JSON.stringify(lesson)}`);
  return { ...lesson, playbook: lesson.playbook };
}
const refusal = (decision: Decision, tainted = false): string => {
  const lesson = distil({ decision, tainted, tools });
  return "not" in lesson ? lesson.not : "it was learned";
};

test("a call on the subject is learned for services of any name, and its document reads back the same", () => {
  const lesson = learned(decisionOf(restart));
  expect(lesson.playbook).toMatchObject({
    ...{ alarms: ["service-unwell"], subject: "^[a-z0-9-]+$", watch_ms: 5000 },
    steps: [{ tool: "service.restart", arguments: { name: "{subject}" }, may_fail: false }],
  });
  expect(lesson.learning).toMatchObject({ stage: "playbook", learned_by: "strategic", carried: { tries: 1, worked: 1 } });
  expect(readDocument(writeDocument(lesson))).toEqual(lesson);
  expect(writeDocument(lesson)).not.toContain("it said so");
});

test("what says the subject in passing, or is no service, fits the very subject alone", () => {
  const said = learned(decisionOf([{ tool: "fs.write", arguments: { path: "/srv/web/on", text: "web is up" } }]));
  expect(said.playbook).toMatchObject({ subject: "^web$", steps: [{ arguments: { path: "/srv/web/on", text: "web is up" } }] });
  const link = learned(decisionOf([{ tool: "fs.write", arguments: { path: "eth0.1" } }], "link-down", "eth0.1"));
  expect(link.playbook).toMatchObject({ subject: "^eth0\\.1$", steps: [{ arguments: { path: "{subject}" } }] });
});

test("the pid of a process is a parameter; the same solution has the same name, another one another", () => {
  const nice = (pid: number) =>
    decisionOf([{ tool: "process.priority", arguments: { process: pid, nice: 19 } }], "runaway-process", `pid:${pid}@5`);
  const one = learned(nice(12));
  expect(one.playbook).toMatchObject({
    subject: "^pid:(?<pid>[0-9]+)@[0-9]+$",
    steps: [{ arguments: { process: "{pid|number}", nice: 19 } }],
  });
  expect(learned(nice(99)).playbook.name).toBe(one.playbook.name);
  expect(learned(decisionOf(restart)).playbook.name).not.toBe(one.playbook.name);
});

test("the service that a port was declared for is a parameter, also where the evidence is text from outside", () => {
  const one = learned(decisionOf(restart, "declared-port-closed", "tcp:8080 of web"), true);
  expect(one.playbook).toMatchObject({ steps: [{ arguments: { name: "{service}" } }] });
  const [other] = fitting([one.playbook], "declared-port-closed", "udp:53 of names");
  expect(other?.calls).toMatchObject([{ tool: "service.restart", arguments: { name: "names" } }]);
  expect(fitting([one.playbook], "declared-port-closed", "tcp:8080 pid:7")).toEqual([]);
});

test("nothing is learned of what cannot be taken back, is not known, did not help, or looks like a parameter", () => {
  expect(refusal(decisionOf([...restart, { tool: "sys.clean", arguments: {} }]))).toBe("sys.clean cannot be taken back");
  expect(refusal(decisionOf([{ tool: "no.such", arguments: {} }]))).toBe("nothing is known of the tool no.such");
  expect(refusal(decisionOf(restart, "a", "web", { outcome: { result: "failed", detail: "", after_ms: 1 } }))).toBe("it did not help");
  expect(refusal(decisionOf(restart, "a", "web", { rule: "playbook x" }))).toBe("it is of a playbook already");
  expect(refusal(decisionOf([{ tool: "fs.write", arguments: { path: "{subject}" } }]))).toBe("an argument looks like a parameter");
});

test("of what rests on text from outside only the subject and words of the tool's own schema are learned; marked is a subject from outside", () => {
  const how = (value: string | number | boolean): Decision =>
    decisionOf([{ tool: "service.restart", arguments: { name: "web", how: value } }]);
  for (const value of ["soft", true]) expect(learned(how(value), true).learning).toMatchObject({ ours: true, tainted_subject: false });
  for (const value of ["rm -rf /", "web ", 42]) expect(refusal(how(value), true)).toBe("an argument may derive from text of outside");
  expect(learned(how("rm -rf /")).learning).toMatchObject({ ours: false, tainted_subject: false });
  const { trigger } = decisionOf(restart);
  const outside = decisionOf(restart, "a", "web", { trigger: { ...trigger, untrusted: "web" } });
  expect(learned(outside, true).learning).toMatchObject({ ours: true, tainted_subject: true });
});

test("whatever stands in a playbook, its document reads back the same", () => {
  const value = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !/[{}\p{Cc}]/u.test(text) && text.isWellFormed());
  fc.assert(
    fc.property(value, value, (text, why) => {
      const lesson = learned(decisionOf([{ tool: "fs.write", arguments: { text, list: [text, { [text]: text }] } }]));
      const change = { time_ms: 1, from: "playbook", to: "trial", why: `so: ${why}` } as const;
      const whole = { ...lesson, learning: { ...lesson.learning, history: [change] } };
      expect(readDocument(writeDocument(whole))).toEqual(whole);
      const before = `${writeDocument(lesson)}\n## A word of a person\n$& ${text.replaceAll("`", "")}\n`;
      const after = writeDocument(whole, before);
      expect(readDocument(after)).toEqual(whole);
      expect(after).toEndWith(before.slice(before.indexOf("\n## A word")));
    }),
  );
});

test("a document that a person edited badly is refused with line and key; prose is none of ours", () => {
  const text = writeDocument(learned(decisionOf(restart)));
  expect(() => readDocument(text.replace("watch_ms: 5000", "watch_ms: soon"))).toThrow(/line \d+, key "watch_ms"/);
  expect(() => readDocument(text.replace('"{subject}"', '"{folder}"'))).toThrow('there is no parameter "folder"');
  expect(() => readDocument(text.replace('stage: "playbook"', "stage: king"))).toThrow(/line \d+, key "stage"/);
  expect(readDocument("---\ntitle: x\n---\nonly words\n")).toBeNull();
});
