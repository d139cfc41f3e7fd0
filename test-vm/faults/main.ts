/** `make faults`: the whole set, each fault twice in the same system. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchRow, writeBench } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { rowOf, rowOfValue, versus } from "../bench/rows.ts";
import { build } from "../places.ts";
import { controls } from "./controls/index.ts";
import { startCareful } from "./conventional/system.ts";
import { faults } from "./list/index.ts";
import { armOf } from "./ours/arm.ts";
import { startOurs } from "./ours/system.ts";
import { isRight, type Result } from "./result.ts";
import { line, sums } from "./table.ts";
import { type Arm, tryControl, tryFault } from "./trial.ts";

const usual_pace = 30;
const times = [1, 2];

export interface Wanted {
  /** Empty: all. */
  readonly names: readonly string[];
  readonly pace: number;
}

export async function tryAll(arm: Arm, { names }: Wanted): Promise<Result[]> {
  const wanted = ({ name, only }: { readonly name: string; readonly only?: string }): boolean =>
    (names.length === 0 || names.includes(name)) && (only === undefined || only === arm.ground.arm);
  const results: Result[] = [];
  const took = (result: Result): void => {
    results.push(result);
    process.stdout.write(`${line(result)}\n`);
  };
  // the other one does not learn
  const tries = arm.ground.arm === "ours" ? times : times.slice(0, 1);
  for (const fault of faults.filter(wanted)) for (const time of tries) took(await tryFault(arm, fault, time));
  for (const control of controls.filter(wanted)) took(await tryControl(arm, control, 1));
  return results;
}

export async function runOurs(wanted: Wanted): Promise<Result[]> {
  const ours = await startOurs(wanted.pace);
  try {
    return await tryAll(armOf(ours), wanted);
  } finally {
    await ours.end();
  }
}

export async function runConventional(wanted: Wanted): Promise<Result[]> {
  const arm = await startCareful(wanted.pace);
  try {
    return await tryAll(arm, wanted);
  } finally {
    await arm.ground.end();
  }
}

/** @returns rows for build/bench/faults.json */
export function rowsOf(results: readonly Result[]): BenchRow[] {
  const rows = (arm: Result["arm"]): Map<string, BenchRow> => {
    const tried = results.filter(
      (one) => one.arm === arm && one.kind === "fault" && faults.find(({ name }) => name === one.name)?.ends !== "person",
    );
    const repaired = tried.filter((one) => one.repaired && one.stable);
    const found = new Map<string, BenchRow>();
    if (tried.length > 0)
      found.set("faults repaired without people", {
        ...rowOfValue("faults repaired without people", "%", (100 * repaired.length) / tried.length),
        n: tried.length,
      });
    for (const time of times) {
      const name = `fault to repaired, time ${time}`;
      const samples = repaired.filter((one) => one.time === time).flatMap(({ repaired_ms }) => (repaired_ms === null ? [] : [repaired_ms]));
      if (samples.length > 0) found.set(name, rowOf(name, "ms", samples));
    }
    return found;
  };
  const [own, other] = [rows("ours"), rows("conventional")];
  const compared = [...own].map(([name, row]) => {
    const theirs = other.get(name);
    return theirs === undefined ? row : versus(row, "systemd, monit, fail2ban, unattended-upgrades", theirs);
  });
  const noticed = results.flatMap(({ arm, detected_ms }) => (arm === "ours" && detected_ms !== null ? [detected_ms] : []));
  const quiet = results.filter((one) => one.arm === "ours" && one.kind === "control");
  return [
    ...compared,
    ...(noticed.length === 0 ? [] : [rowOf("fault to noticed", "ms", noticed)]),
    ...(quiet.length === 0
      ? []
      : [
          {
            ...rowOfValue("controls left alone", "%", (100 * quiet.filter((one) => isRight(one, false)).length) / quiet.length),
            n: quiet.length,
          },
        ]),
  ];
}

/** @returns what came of all, written to build/faults, and printed with the sums */
async function runAll(arm: string, wanted: Wanted): Promise<Result[]> {
  const results: Result[] = [];
  if (arm !== "conventional") results.push(...(await runOurs(wanted)));
  if (arm !== "ours") results.push(...(await runConventional(wanted)));
  const folder = join(build, "faults");
  mkdirSync(folder, { recursive: true });
  for (const one of ["ours", "conventional"] as const) {
    const own = results.filter((result) => result.arm === one);
    if (own.length === 0) continue;
    writeFileSync(join(folder, `${one}.json`), `${JSON.stringify(own, null, 2)}\n`);
    process.stdout.write(
      `\n${one === "ours" ? "aiOS" : "conventional"}, pace ${wanted.pace}\n  ${sums(results, faults, one).join("\n  ")}\n`,
    );
  }
  say(`written to ${folder}`);
  return results;
}

/** `make bench AREA=faults`. */
export async function benchFaults(): Promise<BenchRow[]> {
  return rowsOf(await runAll("", { names: [], pace: usual_pace }));
}

async function main(): Promise<number> {
  const names = (process.env["FAULTS"] ?? "").split(",").filter(Boolean);
  const pace = Number(process.env["PACE"] ?? usual_pace);
  const known = new Set([...faults, ...controls].map(({ name }) => name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    say(`choosing faults failed: there is no ${unknown.join(", ")}; there are ${[...known].join(", ")}`);
    return 2;
  }
  const results = await runAll(process.env["ARM"] ?? "", { names, pace });
  say(`written to ${writeBench("faults", rowsOf(results))}`);
  return 0;
}

if (import.meta.main) process.exit(await main());
