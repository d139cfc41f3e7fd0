/**
 * `make mutate`: removes each duty of PID 1 from a copy of the source and demands that the tests which prove it fail.
 *
 *   bun tooling/duties/mutate.ts [ID …] [--long]
 *
 * Without ids: those that unit tests prove; with `--long` (or AIOS_LONG=1) also those whose proof is a container or a
 * virtual machine, for each of which the image is built anew. The same tests have to pass on the whole source first.
 * Ends with status 1 when a duty was not missed.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { say } from "../progress.ts";
import { checkout, type Duty, levelOf, levelOfDuty, levels, loadDuties } from "./list.ts";
import { type Verdict, verdictOn } from "./verdict.ts";
import { byFile, openWorkshop, type Workshop } from "./workshop.ts";

interface Result extends Verdict {
  readonly duty: Duty;
  readonly took_s: number;
}

const detail_chars_max = 110;

/** @returns what does not pass on the whole source; a removal would show nothing there */
async function baseline(workshop: Workshop, duties: readonly Duty[]): Promise<ReadonlyMap<string, string>> {
  const failing = new Map<string, string>();
  const proofs = duties.flatMap(({ proof }) => proof);
  for (const level of levels) {
    const files = byFile(proofs.filter((proof) => levelOf(proof) === level));
    if (files.size === 0) continue;
    say(`the whole source: ${level} …`);
    await workshop.build(level, [...files.keys()]);
    for (const [file, tests] of files) {
      const report = await workshop.test(file, tests);
      for (const test of tests) {
        const { verdict, detail } = verdictOn(report, test);
        if (verdict !== "survived") failing.set(`${file} ${test}`, detail);
      }
    }
  }
  for (const [test, detail] of failing) say(`does not pass on the whole source: ${test}: ${detail.slice(0, 500)}`);
  return failing;
}

/** The first of its proofs that does not fail, or the last one that does. */
async function tried(workshop: Workshop, duty: Duty, failing: ReadonlyMap<string, string>): Promise<Verdict> {
  const poor = duty.proof.find(({ in: file, test }) => failing.has(`${file} ${test}`));
  if (poor !== undefined) return { verdict: "broken", detail: `"${poor.test}" does not pass on the whole source` };
  const files = byFile(duty.proof);
  let last: Verdict = { verdict: "broken", detail: "no test" };
  try {
    await workshop.build(levelOfDuty(duty), [...files.keys()]);
  } catch (error) {
    return { verdict: "broken", detail: `it cannot be built: ${error instanceof Error ? error.message : String(error)}` };
  }
  for (const [file, tests] of files) {
    const report = await workshop.test(file, tests);
    for (const test of tests) {
      last = verdictOn(report, test);
      if (last.verdict !== "killed") return last;
    }
  }
  return last;
}

function row({ duty, verdict, detail, took_s }: Result): string {
  const told = verdict === "killed" ? `${duty.proof[0]?.in}: ${duty.proof[0]?.test}` : detail.replace(/\s+/g, " ");
  return `${duty.id.padEnd(32)} ${verdict.padEnd(9)} ${took_s.toFixed(1).padStart(6)} s  ${told.slice(0, detail_chars_max)}`;
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({ args: Bun.argv.slice(2), allowPositionals: true, options: { long: { type: "boolean" } } });
  const long = values.long === true || process.env["AIOS_LONG"] === "1";
  const all = loadDuties();
  const unknown = positionals.filter((id) => !all.some((duty) => duty.id === id));
  if (unknown.length > 0) {
    say(`there is no duty "${unknown.join('", "')}"; init/duties/ lists them`);
    return 2;
  }
  const named = positionals.length > 0;
  const chosen = all.filter((duty) => (named ? positionals.includes(duty.id) : long || levelOfDuty(duty) === "unit"));
  const workshop = await openWorkshop();
  const end = (signal: NodeJS.Signals): void => {
    workshop.remove();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  try {
    const failing = await baseline(workshop, chosen);
    const results: Result[] = [];
    for (const duty of [...chosen].sort((a, b) => levels.indexOf(levelOfDuty(a)) - levels.indexOf(levelOfDuty(b)))) {
      const begin_ms = performance.now();
      const look = (): Promise<Verdict> => workshop.without(duty.remove, () => tried(workshop, duty, failing));
      let verdict = await look();
      if (verdict.verdict === "broken") verdict = await look(); // a busy machine may have run into a time limit
      const result = { duty, ...verdict, took_s: (performance.now() - begin_ms) / 1000 };
      results.push(result);
      process.stdout.write(`${row(result)}\n`);
    }
    return summary(results, all.length);
  } finally {
    workshop.remove();
  }
}

function summary(results: readonly Result[], all: number): number {
  const count = (verdict: Verdict["verdict"]): number => results.filter((each) => each.verdict === verdict).length;
  const folder = join(checkout, "build/duties");
  mkdirSync(folder, { recursive: true });
  const rows = results.map(({ duty, verdict, detail, took_s }) => ({ id: duty.id, verdict, detail, took_s }));
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(rows, null, 2)}\n`);
  const bad = results.length - count("killed");
  process.stdout.write(
    `\n${results.length} of ${all} duties: ${count("killed")} killed, ${count("survived")} survived, ${count("broken")} broken\n`,
  );
  for (const result of results) if (result.verdict !== "killed") process.stdout.write(`${row(result)}\n`);
  return bad === 0 ? 0 : 1;
}

process.exit(await main());
