import { expect, test } from "bun:test";
import type { Decision } from "../../../contracts/decision.ts";
import type { Event } from "../../../contracts/event.ts";
import type { Why } from "../../../contracts/why.ts";
import { noPaint } from "../text/style.ts";
import { whyView } from "./lines.ts";

const view = { paint: noPaint, width: undefined };
const time_ms = Date.parse("2026-01-02T12:00:00Z");
const event: Event = {
  ...{ id: "0badcafe-reactive-7", time_ms, boot_ms: 7000, source: "reactive", severity: "error", kind: "alarm.changed" },
  facts: { alarm: "setuid-file", subject: "file-1", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "a file runs as root" },
};
const step = (seconds: number, who: string, to: string, why: string) => ({ time_ms: time_ms + seconds * 1000, who, to, why });
const incident: Why["incidents"][number] = {
  ...{ id: "0badcafe-incident-9", summary: "a file runs as root", severity: "error", state: "handed-over" },
  steps: [
    step(1, "operational", "observing", "alarm setuid-file stands"),
    step(2, "operational", "deciding", "new, security: no playbook fits"),
    step(9, "tactical", "handed-over", "a person has to look"),
  ],
  ...{ calls: ["0badcafe-tools-3", "0badcafe-tools-4"], spent: { calls: 3, tokens: 310, model_ms: 4200 }, lesson: null },
};
const known: Why["memories"][number] = {
  ...{ id: "0badcafe-incident-2", kind: "incident", time_ms, outcome: "worked", text: "it was a backup tool\u001b[2J", from_outside: true },
};
const nothing: Why = { id: event.id, goal: null, event, incidents: [], memories: [], decisions: [], around: [event] };

test("an incident in which nothing was done says what became of it", () => {
  expect(whyView({ ...nothing, incidents: [incident], memories: [known] }, view).join("\n")).toMatchInlineSnapshot(`
    "What happened
      12:00:00.000 error    setuid-file (file-1) raised: a file runs as root  0badcafe-reactive-7

    What became of it
      ● handed-over  a file runs as root  0badcafe-incident-9
        12:00:01.000 observing    operational: alarm setuid-file stands
        12:00:02.000 deciding     operational: new, security: no playbook fits
        12:00:09.000 handed-over  tactical: a person has to look
        spent    3 calls, 310 tokens in 4.2 s
        called   0badcafe-tools-3, 0badcafe-tools-4

    What was known
      from outside «it was a backup tool␛[2J» (worked)  0badcafe-incident-2

    What was decided
      nothing was done"
  `);
});

test("without an incident no rule took it up", () => {
  expect(whyView(nothing, view)).toEqual([
    "What happened",
    expect.stringContaining("setuid-file (file-1) raised"),
    "",
    "What was decided",
    "  nothing: no rule took it up",
  ]);
});

test("a service that ended and that no tier took up was started anew by PID 1, or was not", () => {
  const init = { time_ms, source: "init", severity: "warning" } as const;
  const exit = { status: null, signal: "SIGKILL", cause: null };
  const ended: Event = {
    ...init,
    ...{ id: "0badcafe-init-1", boot_ms: 7000, kind: "service.exited", facts: { service: "reactive", pid: 9, exit, uptime_ms: 1 } },
  };
  const starting = (service: string, boot_ms: number): Event => ({
    ...init,
    ...{ id: "0badcafe-init-2", boot_ms, kind: "service.state", facts: { service, from: "waiting", to: "starting", reason: "" } },
  });
  const said = (around: Event) => whyView({ ...nothing, event: ended, around: [ended, around] }, view).find((line) => /nothing/.test(line));
  expect(said(starting("reactive", 7100))).toBe("  nothing by a tier: PID 1 starts anew what ends, by itself");
  expect([said(starting("memory", 7100)), said(starting("reactive", 6900))]).toEqual(Array(2).fill("  nothing: no rule took it up"));
});

test("a goal tells what is wanted, how it went and was to be reached, and what went wrong with its services", () => {
  const goal: NonNullable<Why["goal"]> = {
    ...{ id: "0badcafe-goal-3", text: "keep service web running", state: "blocked", keep: true, made_by: "broker for anna" },
    ...{ from_outside: false, waits_for: "an approval of service.start" },
    check: { tool: "service.status", arguments: { name: "web" }, expect: { service: { state: "ready" } }, every_ms: 5000 },
    moves: [
      step(1, "broker for anna", "new", "the shop"),
      step(2, "tactical", "working", "its plan is known from the form service-running"),
    ],
    plans: [
      {
        ...{ id: "0badcafe-plan-4", state: "active", purpose: "keeps a service running", why: "it is known" },
        steps: [
          {
            ...{ id: "0badcafe-step-5", key: "start", title: "the service is started", state: "waiting", tool: "service.start" },
            ...{ calls: ["0badcafe-call-6"], result: null },
          },
        ],
      },
    ],
  };
  expect(whyView({ ...nothing, goal, event: null, around: [] }, view).join("\n")).toMatchInlineSnapshot(`
    "What is wanted
      blocked, to be kept  keep service web running  by broker for anna  0badcafe-goal-3
        waits for an approval of service.start
        checked every 5.0 s by service.status {"name":"web"}
        2026-01-02T12:00:01 new          broker for anna: the shop
        2026-01-02T12:00:02 working      tactical: its plan is known from the form service-running

    How it was to be reached
      active  keeps a service running: it is known  0badcafe-plan-4
        waiting  the service is started service.start  0badcafe-call-6

    What was decided
      nothing: no incident was about its services"
  `);
  const served = whyView({ ...nothing, goal: { ...goal, from_outside: true, plans: [] }, event: null, incidents: [incident] }, view);
  for (const line of ["What went wrong with its services", "  no plan was made", "  nothing was done"]) expect(served).toContain(line);
  expect(served.join("\n")).toContain("from outside «keep service web running»");
});

test("who thought for minutes has its time in minutes, and what was learned is said", () => {
  const decision: Decision = {
    ...{ id: "0badcafe-d-strategic-1", time_ms, boot_ms: 8000, tier: "strategic", trigger: event, rule: "strategic setuid-file" },
    ...{ based_on: [], reason: "no program of ours", action: { do: "log" }, took_us: 101_278_162 },
    asked: [{ who: "claude", said: "it is not ours", took_ms: 99_169, tokens: 15_926, usd: 0.0835 }],
    outcome: { result: "done", detail: "the alarm was cleared", after_ms: 61_000 },
  };
  const text = whyView({ ...nothing, decisions: [decision], incidents: [{ ...incident, lesson: known }] }, view).join("\n");
  for (const part of [
    "in 1 min 41 s",
    "(1 min 39 s, 15926 tokens, $0.0835)",
    "done after 1 min 1 s",
    "learned  from outside «it was a backup tool",
  ])
    expect(text).toContain(part);
});

test("who took it back, when and why stands below what it had come to", () => {
  const overridden = {
    how: "undone",
    ...{ by: "person:anna", why: "it was to run\u001b[2J", time_ms, call: "0badcafe-call-3", tool: "fs.chmod" },
    was: "done",
  } as const;
  const decision: Decision = {
    ...{ id: "0badcafe-d-tactical-1", time_ms, boot_ms: 8000, tier: "tactical", trigger: event, rule: "playbook setuid-file" },
    ...{ based_on: [], reason: "no program of ours", action: { do: "log" }, took_us: 100 },
    outcome: { result: "overridden", detail: "the alarm was cleared", after_ms: 900, overridden },
  };
  const lines = whyView({ ...nothing, decisions: [decision] }, view);
  expect(lines).toContain("    outcome  overridden after 900 ms: the alarm was cleared");
  expect(lines).toContain(
    "    but      person:anna took back fs.chmod (0badcafe-call-3) at 2026-01-02T12:00:00, it was done: it was to run␛[2J",
  );
});
