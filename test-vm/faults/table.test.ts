import { expect, test } from "bun:test";
import type { Named } from "./fault.ts";
import { nothing_told, Result } from "./result.ts";
import { rowsOf } from "./rows.ts";
import { line, markdown, sums } from "./table.ts";

const trial = (name: string, time: number, more: Partial<Result> = {}): Result =>
  Result.parse({
    ...nothing_told,
    ...{ name, time, kind: "fault", family: "process", arm: "ours", repaired: true, repaired_ms: 6000, stable: true, by_person: false },
    ...{ detected: true, detected_ms: 1000, decided_ms: 3000, decisions: 1, collateral: [], trouble: null },
    ...more,
  });

const leak = [
  trial("memory-leak", 1, { tier: "strategic", rule: "strategic memory-leak service.restart", calls: 5, tokens: 15_018, usd: 0.0214 }),
  trial("memory-leak", 2, {
    tier: "tactical",
    rule: "playbook learned-1",
    calls: 1,
    repaired_ms: 4000,
    collateral: ["file /srv/a is new"],
  }),
];
const killed = [1, 2].map((time) => trial("service-killed", time, { tier: "reactive", rule: "service-dead", calls: 1 }));
const missed = trial("crash-loop", 1, {
  detected: false,
  detected_ms: null,
  decided_ms: null,
  repaired: false,
  repaired_ms: null,
  stable: false,
});
const handed = trial("setuid-file", 1, { repaired: false, repaired_ms: null, by_person: true });
const theirs = trial("memory-leak", 1, { arm: "conventional", detected: null, detected_ms: null, collateral: ["port 80", "port 81"] });
const named = (name: string, more: Pick<Named, "ends"> = {}): Named => ({ name, family: "process", what: "a test", ...more });
const faults = [named("setuid-file", { ends: "person" }), ...["memory-leak", "service-killed", "crash-loop"].map((name) => named(name))];
const own = [...leak, ...killed, missed, handed];

/** The cells of each row by the heads of its table; of heads that come twice the second is the second time's. */
function cellsOf(text: string): Map<string, string[]> {
  const cells = (row: string): string[] =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const rows = text.split("\n").filter((row) => row.startsWith("|"));
  expect(new Set(rows.map((row) => cells(row).length)).size).toBe(1);
  return new Map(rows.map((row) => [cells(row)[1] ?? "", cells(row)]));
}

test("the table says of each fault what was noticed, done, by whom, at which cost and with which collateral, both times", () => {
  const rows = cellsOf(
    markdown(
      new Map([
        ["ours", own],
        ["conventional", [theirs]],
      ]),
    ),
  );
  expect(rows.get("fault")).toEqual([
    ...["family", "fault", "noticed", "decided", "acted", "repaired", "calls", "cost", "by"],
    ...["2nd: noticed", "decided", "acted", "repaired", "calls", "cost", "by", "collateral", "learned", "conventional"],
  ]);
  expect(rows.get("memory-leak")).toEqual([
    ...[
      "process",
      "memory-leak",
      "1.0 s",
      "2.0 s",
      "3.0 s",
      "6.0 s",
      "5",
      "15018 $0.0214",
      "strategic: strategic memory-leak service.restart",
    ],
    ...["1.0 s", "2.0 s", "1.0 s", "4.0 s", "1", "0", "tactical: learned-1", "0 / 1", "", "6.0 s, collateral 2"],
  ]);
  expect(rows.get("service-killed")?.slice(8)).toEqual([
    ...["reactive: service-dead", "1.0 s", "2.0 s", "3.0 s", "6.0 s", "1", "0", "same", "0 / 0", "", "–"],
  ]);
  expect(rows.get("crash-loop")?.slice(2, 6)).toEqual(["no", "–", "–", "not repaired"]);
  expect(rows.get("crash-loop")?.[16]).toBe("– / –");
  expect(rows.get("setuid-file")?.[5]).toBe("to a person");
});

test("a row is no wider than a screen", () => {
  const long = trial("undeclared-listener-of-stranger", 1, {
    tier: "tactical",
    rule: "playbook service-data-restore",
    calls: 12,
    tokens: 283,
  });
  for (const row of markdown(new Map([["ours", [long, { ...long, time: 2 }]]])).split("\n")) expect(row.length).toBeLessThanOrEqual(200);
});

test("the line of a trial has its cost, and names what else was different", () => {
  const [first, second] = leak.map(line);
  expect(first).toContain("1 decisions, 5 calls, 15018 tokens $0.0214");
  expect(second).toContain("1 calls, 0 tokens\n      file /srv/a is new");
});

test("the second time is held against the first in calls, tokens and money, apart for what a model solved first", () => {
  const said = sums(own, faults);
  expect(said.find((sentence) => sentence.startsWith("first solved by a model"))).toContain(
    "calls 5, then 1 (20 %); tokens 15018, then 0 (0 %); $0.0214, then $0.0000 (0 %)",
  );
  expect(said.find((sentence) => sentence.startsWith("first solved by a playbook"))).toEndWith("calls 1, then 1 (100 %); tokens 0, then 0");
  expect(said.find((sentence) => sentence.startsWith("with collateral"))).toContain("1 of 6 (17 %)");
});

test("rows for build/bench: detected, below the strategic tier, collateral beside the other system's, calls and cost each time", () => {
  const rows = new Map(rowsOf([...own, theirs], faults).map((row) => [row.name, row]));
  expect(rows.get("faults detected")).toMatchObject({ unit: "%", n: 5, value: 80 });
  expect(rows.get("repaired below the strategic tier")).toMatchObject({ unit: "%", n: 4, value: 75 });
  expect(rows.get("repaired, with collateral")).toMatchObject({ unit: "%", n: 4, value: 25, versus: { n: 1, value: 100 } });
  expect(rows.get("calls, time 1")).toMatchObject({ unit: "calls", n: 2, p50: 1, p99: 5 });
  expect(rows.get("model cost, time 1")).toMatchObject({ unit: "usd", n: 2, p99: 0.0214 });
  expect(rows.get("model cost, time 2")).toMatchObject({ unit: "usd", n: 2, p99: 0 });
});
