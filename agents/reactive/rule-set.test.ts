import { expect, test } from "bun:test";
import { eventOf } from "../testing/events.ts";
import { Engine } from "./engine.ts";
import { loadRules } from "./rule-set.ts";

const good = {
  name: "step",
  on: ["clock.step"],
  when: { fact: "by_ms", above: 10 },
  action: { do: "log" },
  severity: "info",
  reason: "stepped by {by_ms|ms}",
  examples: { match: [{ facts: { by_ms: 11 } }], no_match: [{ facts: { by_ms: 10 } }] },
};
const exit_example = { service: "a", pid: 1, exit: { status: 0, signal: null, cause: null }, uptime_ms: 1 };

const refusals: readonly [string, object, string][] = [
  [
    "an example that must match and does not",
    { examples: { ...good.examples, match: [{ facts: { by_ms: 5 } }] } },
    "match[0] does not match",
  ],
  [
    "an example that must not match and does",
    { examples: { ...good.examples, no_match: [{ facts: { by_ms: 50 } }] } },
    "no_match[0] matches",
  ],
  ["an example that is no event", { examples: { ...good.examples, match: [{ facts: { by_ms: "x" } }] } }, "an example is no event"],
  ["a fact that the event does not have", { when: { fact: "service", is: "x" } }, 'there is no fact "service"'],
  ["an unlike type", { when: { fact: "by_ms", is: "x" } }, 'the fact "by_ms" is number'],
  ["null where it cannot be", { when: { fact: "by_ms", is: null } }, 'the fact "by_ms" is never null'],
  ["an unknown key", { script: "process.exit()" }, 'Unrecognized key: "script"'],
  ["an unknown action", { action: { do: "run", code: "x" } }, "action"],
  ["an unknown event kind", { on: ["clock.stop"] }, "on.0"],
  ["a threshold that flaps", { threshold: { fact: "by_ms", enter: 5, leave: 5 } }, "enter and leave must differ"],
  ["an unknown format", { reason: "{by_ms|hex}" }, 'there is no format "hex"'],
  ["untrusted text as the key", { key: "event.untrusted" }, 'the fact "event.untrusted" is untrusted'],
  ["untrusted text as what to restart", { action: { do: "restart", service: { fact: "event.untrusted" } } }, "is untrusted, not string"],
  ["a prototype as a fact", { when: { fact: "constructor", is: "x" } }, 'there is no fact "constructor"'],
];

test.each(refusals)("%s is refused by name; the others run", (_, fields, sentence) => {
  const { loaded: rules, refused } = loadRules({ "good.yaml": good, "bad.yaml": { ...good, name: "bad", ...fields } });
  expect(rules.map((rule) => rule.name)).toEqual(["step"]);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toStartWith('loading the rule "bad.yaml" failed: ');
  expect(refused[0]).toContain(sentence);
});

test("a name is taken once; a source that is no object is refused", () => {
  expect(loadRules({ a: good, b: good }).refused).toEqual(['loading the rule "b" failed: there is already one named "step"']);
  expect(loadRules({ a: null, b: "x", c: [] }).refused).toHaveLength(3);
});

test("conditions: all, any, not, in, contains", () => {
  const when = {
    all: [
      {
        any: [
          { fact: "service", in: ["a", "b"] },
          { fact: "uptime_ms", at_most: 0 },
        ],
      },
      { not: { fact: "exit.status", is: 7 } },
      { fact: "exit.signal", is_not: "SIGTERM" },
    ],
  };
  const exit = (fields: object) => ({ facts: { ...exit_example, ...fields } });
  const rule = {
    ...good,
    on: ["service.exited"],
    when,
    reason: "{service}",
    examples: {
      match: [exit({}), exit({ service: "b" }), exit({ service: "c", uptime_ms: 0 })],
      no_match: [
        exit({ service: "c" }),
        exit({ exit: { status: 7, signal: null, cause: null } }),
        exit({ exit: { status: null, signal: "SIGTERM", cause: null } }),
      ],
    },
  };
  expect(loadRules({ rule }).refused).toEqual([]);
});

test("untrusted text is matched, and quoted and cut where people read it", () => {
  const rule = {
    ...good,
    on: ["kernel.log"],
    when: { fact: "event.untrusted", contains: "I/O error" },
    reason: "the kernel says {event.untrusted}",
    examples: {
      match: [{ facts: { priority: 3, sequence: 1, at_us: 1 }, untrusted: "sda: I/O error" }],
      no_match: [
        { facts: { priority: 3, sequence: 1, at_us: 1 }, untrusted: "all well" },
        { facts: { priority: 3, sequence: 1, at_us: 1 } },
      ],
    },
  };
  const { loaded: rules, refused } = loadRules({ rule });
  expect(refused).toEqual([]);
  const event = eventOf("kernel.log", { priority: 3, sequence: 1, at_us: 1 });
  const [match] = new Engine(rules).take({ ...event, untrusted: `\u001b[2J I/O error" {by_ms}\n${"x".repeat(300)}` }, 0);
  expect(match?.reason).toStartWith('the kernel says "?[2J I/O error\\" {by_ms}?xxx');
  expect(match?.reason.length).toBeLessThan(110);
});
