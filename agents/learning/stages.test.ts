import { expect, test } from "bun:test";
import fc from "fast-check";
import { Learning, type RuleRecord } from "../../contracts/learning.ts";
import { Playbook } from "../../contracts/playbook.ts";
import { doubt, lowerBound, successesFor, upperBound } from "../../wire/binomial.ts";
import type { Known } from "./library.ts";
import { dry_runs_min, type Evidence, nextStage, proven_min } from "./stages.ts";

const tries = fc.integer({ min: 1, max: 300 }).chain((of) => fc.tuple(fc.integer({ min: 0, max: of }), fc.constant(of)));

/** The sum of binomial terms, the plain way. */
function atLeast(count: number, of: number, chance: number): number {
  let sum = 0;
  for (let n = count; n <= of; n += 1) {
    let ways = 1;
    for (let k = 1; k <= n; k += 1) ways *= (of - n + k) / k;
    sum += ways * chance ** n * (1 - chance) ** (of - n);
  }
  return sum;
}

test("the bounds hold the share that was seen, grow with what worked, and narrow with what was tried", () => {
  fc.assert(
    fc.property(tries, ([worked, of]) => {
      const [low, high] = [lowerBound(worked, of), upperBound(worked, of)];
      expect(low).toBeLessThanOrEqual(worked / of);
      expect(high).toBeGreaterThanOrEqual(worked / of);
      expect(lowerBound(worked + 1, of + 1)).toBeGreaterThanOrEqual(low);
      expect(upperBound(worked, of + 1)).toBeLessThanOrEqual(high);
      expect(high).toBeCloseTo(1 - lowerBound(of - worked, of), 9);
    }),
  );
});

test("with the lower bound as the chance, as many or more would have worked in 5 % of cases", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 40 }), (worked, failed) => {
      const of = worked + failed;
      expect(atLeast(worked, of, lowerBound(worked, of))).toBeCloseTo(doubt, 6);
    }),
  );
});

test("known values: 14 of 14 for 0.8, 29 of 29 for 0.9, 21 of 22 for 0.8", () => {
  expect([successesFor(0.8), successesFor(0.9)]).toEqual([14, 29]);
  expect(lowerBound(14, 14)).toBeCloseTo(0.05 ** (1 / 14), 9);
  expect([lowerBound(13, 13) < 0.8, lowerBound(20, 21) < 0.8, lowerBound(21, 22) >= 0.8]).toEqual([true, true, true]);
});

const playbook = Playbook.parse({
  ...{ name: "again", alarms: ["service-down"], does: "starts it", watch_ms: 1000 },
  steps: [{ tool: "service.restart", arguments: { name: "{subject}" }, why: "it helps" }],
});
const at = (stage: Learning["stage"], more: Partial<Known> = {}, about: Partial<Learning> = {}): Known => ({
  ...{ playbook, bundled: true, document: null, overridden: false },
  learning: { ...Learning.parse({ playbook: "again", stage, against: 0 }), ...about },
  ...more,
});
const record = (worked: number, failed = 0, in_a_row = failed === 0 ? worked : 0, more: Partial<RuleRecord> = {}): RuleRecord => ({
  ...{ rule: "playbook again", tier: "tactical", worked, failed, overridden: 0, refused: 0, worked_since_failure: in_a_row },
  ...{ first_ms: 0, last_ms: 1, last_failed_ms: null },
  ...more,
});
const seen = (records: RuleRecord[], more: Partial<Evidence> = {}): Evidence => ({
  ...{ records, dry_runs: [], risks: new Map([["service.restart", "compensable"]]), now_ms: 1e6 },
  ...more,
});
const dry = (count: number, solved_by: string | null = "playbook again", allowed = true) =>
  Array.from({ length: count }, (_, n) => ({ decision: `0badcafe-d-reactive-${n}`, time_ms: 0, allowed, solved_by }));

test("a trial begins with the 14th success in a row and not before, and after a failure only with the bound over all", () => {
  expect(nextStage(at("playbook"), seen([record(13)]))).toBeNull();
  expect(nextStage(at("playbook"), seen([record(14)]))).toMatchObject({ to: "trial", why: expect.stringContaining("14 of 14 times") });
  expect(nextStage(at("playbook"), seen([record(20, 1, 14)]))).toBeNull();
  expect(nextStage(at("playbook"), seen([record(21, 1, 14)]))?.to).toBe("trial");
  expect(nextStage(at("playbook"), seen([record(60, 1, 13)]))).toBeNull();
});

test("whatever the record, nothing irreversible, unknown or named from outside becomes a trial or stays one", () => {
  const risks = (risk: "irreversible" | null) => ({ risks: new Map([["service.restart", risk]]) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 9 }), (worked, failed) => {
      const records = [record(worked, failed, worked)];
      for (const unfit of [seen(records, risks("irreversible")), seen(records, risks(null))])
        for (const stage of ["playbook", "trial", "rule"] as const) expect(nextStage(at(stage), unfit)?.to ?? "playbook").toBe("playbook");
      expect(nextStage(at("playbook", {}, { tainted_subject: true }), seen(records))).toBeNull();
    }),
  );
});

test("what is promoted has proven it: over all records the bound holds", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 100 }),
      (worked, failed, row) => {
        const step = nextStage(at("playbook"), seen([record(worked, failed, Math.min(row, worked))]));
        if (step?.to === "trial") expect(lowerBound(worked, worked + failed)).toBeGreaterThanOrEqual(proven_min);
      },
    ),
  );
});

test("a trial becomes a rule when its last dry runs were allowed and did what helped; one against it ends it", () => {
  const trial = at("trial");
  expect(nextStage(trial, seen([record(20)], { dry_runs: dry(dry_runs_min - 1) }))).toBeNull();
  expect(nextStage(trial, seen([record(20)], { dry_runs: dry(dry_runs_min) }))?.to).toBe("rule");
  for (const odd of [dry(1, null), dry(1, "playbook other"), dry(1, "playbook again", false)])
    expect(nextStage(trial, seen([record(20)], { dry_runs: [...odd, ...dry(dry_runs_min - 1)] }))).toBeNull();
  const under_way = [{ ...dry(1, null)[0], time_ms: 1e6 }] as ReturnType<typeof dry>;
  expect(nextStage(trial, seen([record(20)], { dry_runs: [...under_way, ...dry(dry_runs_min)] }))?.to).toBe("rule");
  expect(nextStage(trial, seen([record(20, 1)], { dry_runs: dry(dry_runs_min) }))?.to).toBe("playbook");
});

test("a rule is taken back by its first failure or refusal since it is one, not by older ones", () => {
  const rule = at("rule", {}, { against: 1 });
  expect(nextStage(rule, seen([record(40, 1)]))).toBeNull();
  expect(nextStage(rule, seen([record(40, 1), record(0, 1, 0, { tier: "reactive" })]))?.to).toBe("playbook");
  expect(nextStage(rule, seen([record(40, 1), record(0, 0, 0, { tier: "reactive", refused: 1 })]))?.to).toBe("playbook");
  expect(nextStage(rule, seen([record(40, 1, 5, { refused: 7 })]))).toBeNull();
});

test("a try that a person took back is one against it, and the reason says so", () => {
  const step = nextStage(at("rule"), seen([record(18, 1, 0, { overridden: 1 })]));
  expect(step?.to).toBe("playbook");
  expect(step?.why).toContain("helped 18 of 19 times (a person took back 1), the last 0 in a row");
});

test("what a person took back of what it was learned from is a first try that failed", () => {
  const learned = { carried: { tries: 1, worked: 1 } };
  const after = (failed: number, overridden: boolean) =>
    nextStage(at("playbook", { bundled: false, overridden }, learned), seen([record(0, failed)]))?.to;
  expect([after(3, true), after(4, true), after(4, false)]).toEqual([undefined, "retired", undefined]);
});

test("a rule that a person has made is taken back by failures after that", () => {
  const document = { id: "playbooks/stage-again", version: 1, time_ms: 5000, text: "" };
  const failed = (last_failed_ms: number) => seen([record(3, 2, 1, { last_failed_ms })]);
  expect(nextStage(at("rule", { document }, { against: null }), failed(4999))).toBeNull();
  expect(nextStage(at("rule", { document }, { against: null }), failed(5001))?.to).toBe("playbook");
});

test("a learned playbook that never helps again is retired, one of the image is not, and nobody but a person brings it back", () => {
  const learned = at("playbook", { bundled: false }, { carried: { tries: 1, worked: 1 } });
  expect(nextStage(learned, seen([record(0, 6)]))).toBeNull();
  expect(nextStage(learned, seen([record(0, 7)]))?.to).toBe("retired");
  expect(nextStage(at("playbook"), seen([record(0, 99)]))).toBeNull();
  expect(nextStage(at("retired", { bundled: false }), seen([record(99)]))).toBeNull();
});
