import { expect, test } from "bun:test";
import type { PhaseRecord } from "../contracts/init.ts";
import { fakeSystem } from "../sys/fake.ts";
import type { Phase } from "./boot/phase.ts";
import { degraded, done } from "./boot/result.ts";
import { testBoot } from "./boot/testing.ts";
import { runPhases } from "./runner.ts";

const phase = (name: string, run: Phase["run"], changes: Partial<Phase> = {}): Phase => ({
  name,
  what: `what ${name} is for`,
  modes: "both",
  limit_ms: 1000,
  run,
  ...changes,
});

async function boot(phases: readonly Phase[], mode: "machine" | "container" = "machine", goesDown = () => false) {
  const made = testBoot(fakeSystem([]), mode);
  const timeline: PhaseRecord[] = [];
  let now = 0;
  await runPhases(phases, { boot: made, now: () => (now += 5), timeline, goesDown });
  return { told: made.told, timeline };
}

test("once the system goes down no further phase begins", async () => {
  let down = false;
  const press = phase("one", async () => {
    down = true;
    return done("the power button was pressed meanwhile");
  });
  const { timeline } = await boot([press, phase("two", () => expect.unreachable())], "machine", () => down);
  expect(timeline.map(({ name }) => name)).toEqual(["one"]);
});

test("each phase leaves its outcome in the timeline, and an event", async () => {
  const { told, timeline } = await boot([
    phase("one", async () => done("all of it")),
    phase("two", async () => degraded("the second", "half of it", "look there")),
  ]);
  expect(timeline).toEqual([
    { name: "one", start_ms: 5, end_ms: 10, outcome: "done", detail: "all of it" },
    { name: "two", start_ms: 15, end_ms: 20, outcome: "degraded", detail: "half of it" },
  ]);
  expect(told.events).toMatchObject([
    { kind: "boot.phase", severity: "info", facts: { phase: "one", outcome: "done", took_ms: 5, detail: "all of it" } },
    { kind: "boot.phase", severity: "warning", facts: { phase: "two", outcome: "degraded", took_ms: 5, detail: "half of it" } },
  ]);
  expect([...told.degradations]).toEqual([["the second", "half of it"]]);
});

test("one that throws and one that hangs are degradations, and the next one runs", async () => {
  const { told, timeline } = await boot([
    phase("throws", () => Promise.reject(new Error("scripted"))),
    phase("hangs", () => Bun.sleep(200).then(() => done("much later")), { limit_ms: 20 }),
    phase("last", async () => done("it ran")),
  ]).catch(() => ({ told: null, timeline: [] }));
  expect(timeline.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(["throws failed", "hangs failed", "last done"]);
  expect([...(told?.degradations ?? [])]).toEqual([
    ["throws", "scripted"],
    ["hangs", "it took longer than its limit of 20 ms"],
  ]);
});

test("what belongs to the machine is left out in a container", async () => {
  const of_both = phase("both", async () => done("yes"));
  const of_machine = phase("machine", async () => done("yes"), { modes: "machine" });
  expect((await boot([of_machine, of_both], "container")).timeline.map(({ name }) => name)).toEqual(["both"]);
  expect((await boot([of_machine, of_both])).timeline.map(({ name }) => name)).toEqual(["machine", "both"]);
});
