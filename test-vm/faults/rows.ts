/** Rows for build/bench/faults.json. */

import type { BenchRow } from "../../tooling/bench.ts";
import { rowOf, rowOfValue, versus } from "../bench/rows.ts";
import type { Named } from "./fault.ts";
import { isRight, phasesOf, type Result } from "./result.ts";

export function rowsOf(results: readonly Result[], faults: readonly Named[]): BenchRow[] {
  const for_people = new Set(faults.filter(({ ends }) => ends === "person").map(({ name }) => name));
  const alone = results.filter(({ kind, name, trouble }) => kind === "fault" && trouble === null && !for_people.has(name));
  const [own, other] = [rows(alone, "ours"), rows(alone, "conventional")];
  const compared = [...own].map(([name, row]) => {
    const theirs = other.get(name);
    return theirs === undefined ? row : versus(row, "systemd, monit, fail2ban, unattended-upgrades", theirs);
  });
  const quiet = results.filter((one) => one.arm === "ours" && one.kind === "control" && one.trouble === null);
  const left_alone = quiet.filter((one) => isRight(one, false)).length;
  return [
    ...compared,
    ...toldOf(alone),
    ...phases(alone),
    ...(quiet.length === 0 ? [] : [{ ...rowOfValue("controls left alone", "%", (100 * left_alone) / quiet.length), n: quiet.length }]),
  ];
}

function rows(alone: readonly Result[], arm: Result["arm"]): Map<string, BenchRow> {
  const tried = alone.filter((one) => one.arm === arm);
  const repaired = tried.filter((one) => one.repaired && one.stable);
  const found = new Map<string, BenchRow>();
  const name = "faults repaired without people";
  if (tried.length > 0) found.set(name, { ...rowOfValue(name, "%", (100 * repaired.length) / tried.length), n: tried.length });
  const besides = repaired.filter(({ collateral }) => collateral.length > 0).length;
  const damage = "repaired, with collateral";
  if (repaired.length > 0) found.set(damage, { ...rowOfValue(damage, "%", (100 * besides) / repaired.length), n: repaired.length });
  for (const time of [1, 2]) {
    const samples = repaired.filter((one) => one.time === time).flatMap(({ repaired_ms }) => (repaired_ms === null ? [] : [repaired_ms]));
    if (samples.length > 0) found.set(`fault to repaired, time ${time}`, rowOf(`fault to repaired, time ${time}`, "ms", samples));
  }
  return found;
}

/** What our arm says of itself: whether it noticed, and which tier it was. */
function toldOf(alone: readonly Result[]): BenchRow[] {
  const own = alone.filter(({ arm }) => arm === "ours");
  const repaired = own.filter((one) => one.repaired && one.stable);
  const share = (name: string, of: readonly Result[], holds: (result: Result) => boolean): BenchRow[] =>
    of.length === 0 ? [] : [{ ...rowOfValue(name, "%", (100 * of.filter(holds).length) / of.length), n: of.length }];
  return [
    ...share("faults detected", own, ({ detected }) => detected === true),
    ...share("repaired below the strategic tier", repaired, ({ tier }) => tier !== "strategic"),
  ];
}

const costs = [
  ["calls", "calls", ({ calls }: Result) => calls],
  ["model tokens", "tokens", ({ tokens }: Result) => tokens],
  ["model cost", "usd", ({ usd }: Result) => usd],
] as const;

/** How long noticing, deciding and acting took, the calls of tools, and what models have cost: the first time and the second. */
function phases(alone: readonly Result[]): BenchRow[] {
  return [1, 2].flatMap((time) => {
    const own = alone.filter((one) => one.arm === "ours" && one.time === time && one.repaired);
    const found = own.flatMap((one) => phasesOf(one) ?? []);
    if (found.length === 0) return [];
    return [
      ...(["noticing", "deciding", "acting"] as const).map((phase) =>
        rowOf(
          `${phase}, time ${time}`,
          "ms",
          found.map((one) => one[phase]),
        ),
      ),
      ...costs.map(([name, unit, read]) => rowOf(`${name}, time ${time}`, unit, own.map(read))),
    ];
  });
}
