/**
 * `make check` and `make test`: every suite, and one summary. A suite whose build failed counts as failed. The last line is
 * `N passed, N failed`.
 *
 * The suites of units and containers run as many files at once as there are processors, four at most. One suite comes after
 * the other, but for that of the machines: once the image is built it runs beside all the others, also on two processors. An
 * emulated machine keeps one and a half of them busy while it boots and half of one while a test waits, containers less than one.
 * They meet in no file, port, namespace or cgroup. So what they need is built first of all. The machines go before the others: a
 * machine costs for as long as it runs, so what keeps it waiting makes it dearer, and the others fill what it leaves. A third suite at
 * once was no quicker on two processors, and what came last then waited for so long that its time limits ran out.
 * The machines are done first: then the proofs of the broker have their place.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { junit } from "../tooling/junit.ts";
import { during, say } from "../tooling/progress.ts";
import { build, checkout } from "./places.ts";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, a line each: whoever sees only the end of the output still learns it. */
  readonly broken?: readonly string[];
  /** Processor time in seconds, of the suite with all that it started and waited for (getrusage(2)). */
  readonly cpu_s?: number;
}

interface Suite {
  readonly name: string;
  /** Part of the quick gate. */
  readonly check: boolean;
  /** Makes namespaces, mounts and devices: for root alone. */
  readonly root?: boolean;
  /** Takes long: run with AIOS_LONG=1, or by name. */
  readonly long?: boolean;
  /** Needs a suite before it to have built something. */
  readonly needs?: string;
  /** Runs beside those that come after what it needs. */
  readonly beside?: true;
  /** Runs beside them too, in the place of that one once it has ended. */
  readonly follows?: string;
  run(): Promise<Counts>;
}

const bun = join(checkout, "node_modules/.bin/bun");
const reports = join(build, "test");
/** Milliseconds that one scenario may take, where it does not say otherwise itself. */
const scenario_limit_ms = 900_000;

/** A program whose status is the result. */
function program(argv: readonly string[]): () => Promise<Counts> {
  return async () => {
    const { status, cpu_s } = await ended(argv);
    return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, cpu_s };
  };
}

const reportOf = (name: string): string => join(reports, `${name}.xml`);
/** A byte for each test of a suite that has ended (tooling/count-tests.ts). */
const tallyOf = (name: string): string => join(reports, `${name}.tally`);
/** Tests that ran when the suite ran last; for how far it is now. */
const ran_last = new Map<string, number>();

/** Tests that bun runs, counted from its report. */
function tests(name: string, argv: readonly string[]): () => Promise<Counts> {
  return async () => {
    const [report, tally] = [reportOf(name), tallyOf(name)];
    const last = counted(report, 0);
    ran_last.set(name, last.passed + last.failed);
    rmSync(report, { force: true });
    writeFileSync(tally, "");
    const options = ["--reporter=junit", `--reporter-outfile=${report}`, "--only-failures", "--preload", "./tooling/count-tests.ts"];
    const { status, cpu_s } = await ended([bun, "test", ...options, ...argv], { AIOS_TESTS_TALLY: tally });
    return { ...counted(report, status), cpu_s };
  };
}

/** Empty for what is no suite of tests. */
function soFar(name: string): string {
  const last = ran_last.get(name);
  if (last === undefined) return "";
  return `${statSync(tallyOf(name)).size} tests${last === 0 ? "" : ` (${last} when it ran last)`}`;
}

/** What runs beside all that is started now. */
const beside = new Set<Promise<void>>();
/** Of a processor that both want, a tenth is for who runs beside machines (nice(1)). */
const gives_way = ["nice", "-n", "10"];

async function ended(
  argv: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly cpu_s: number }> {
  const child = Bun.spawn([...(beside.size > 0 ? gives_way : []), ...argv], {
    cwd: checkout,
    env: { ...process.env, ...more },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const status = await child.exited;
  return { status, cpu_s: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6 };
}

/** @param status what bun ended with: a failure that is in no report (a file that does not load) still counts */
function counted(report: string, status: number): Counts {
  const { tests, failed, skipped, broken } = junit(existsSync(report) ? readFileSync(report, "utf8") : "");
  return { passed: Math.max(0, tests - failed - skipped), failed: Math.max(failed, status === 0 ? 0 : 1), skipped, broken };
}

const tool = (name: string): string => join(checkout, "node_modules/.bin", name);
/** Named with `./`: bun takes a bare name as a filter, and then walks the whole checkout, links of the built root included. */
const rooms = ["agents", "console", "init", "kernel-config", "knowledge", "memory", "models", "sys", "tooling", "tools", "wire"].map(
  (room) => `./${room}/`,
);
/** Of the harness itself: all that is no scenario. */
const harness = [...new Bun.Glob("test-vm/**/*.test.ts").scanSync({ cwd: checkout })]
  .filter((file) => !file.startsWith("test-vm/scenarios/"))
  .sort()
  .map((file) => `./${file}`);
/** Files at once, each with modules and globals of its own. */
const at_once = Math.min(availableParallelism(), 4);
const parallel = `--parallel=${at_once}`;
/** Twice as many at once are no quicker. */
const properties = ["--timeout=600000", `--max-concurrency=${at_once}`, "./test-vm/scenarios/broker/"];
const scenarios = (folder: string): string[] => [`--timeout=${scenario_limit_ms}`, `./test-vm/scenarios/${folder}/`];

const suites: readonly Suite[] = [
  { name: "build models", check: true, run: program([bun, "models/build.ts"]) },
  { name: "fetch models for tests", check: true, run: program([bun, "models/testing/fetch.ts"]) },
  { name: "build kernel", check: false, run: program([bun, "kernel-config/build.ts"]) },
  { name: "arm64 kernel config", check: false, run: program([bun, "kernel-config/build.ts", "--arch", "arm64", "--config-only"]) },
  { name: "build image", check: false, root: true, needs: "build kernel", run: program([bun, "image/build.ts", "all"]) },
  { name: "build client", check: false, run: program([bun, "image/build.ts", "client"]) },
  { name: "vm", check: false, needs: "build image", beside: true, run: tests("vm", scenarios("vm")) },
  { name: "broker", check: false, root: true, follows: "vm", run: tests("broker", properties) },
  { name: "types", check: true, run: program([bun, "tooling/types.ts"]) },
  { name: "lint", check: true, run: program([tool("biome"), "check", "--diagnostic-level=error", "."]) },
  { name: "container", check: false, needs: "build image", run: tests("container", [parallel, ...scenarios("container")]) },
  { name: "image", check: false, needs: "build image", run: tests("image", ["--timeout=300000", "./image/"]) },
  { name: "fuzz", check: false, run: program([bun, "test-vm/fuzz.ts", "2000"]) },
  { name: "unit", check: true, root: true, run: tests("unit", [parallel, "--timeout=300000", ...rooms, ...harness]) },
  { name: "reproduce", check: false, long: true, needs: "build kernel", run: program([bun, "image/reproduce.ts"]) },
];

interface Result extends Counts {
  readonly took_s: number;
  /** Processors of the machine that were busy meanwhile, in the mean: with whatever they were. */
  readonly busy: number;
}

type Results = Map<string, Result>;

async function runSuite(suite: Suite, results: Results): Promise<void> {
  say(`${suite.name} …`);
  const begin_ms = performance.now();
  const busy_s = busySeconds();
  const why_not = notRunBecause(suite, results);
  if (why_not !== null) say(`${suite.name}: not run: ${why_not}`);
  const run = (): Promise<Counts> =>
    during(
      suite.name,
      () => suite.run(),
      () => soFar(suite.name),
    );
  const counts = why_not === null ? await run() : { passed: 0, failed: 1, skipped: 0 };
  const took_s = (performance.now() - begin_ms) / 1000;
  results.set(suite.name, { ...counts, took_s, busy: (busySeconds() - busy_s) / took_s });
  say(`${suite.name}: ${counts.failed === 0 ? "passed" : "FAILED"} in ${took_s.toFixed(1)} s`);
}

async function main(): Promise<number> {
  const quick = process.argv[2] === "check";
  const only = process.argv[2] === "all" || quick ? null : process.argv.slice(2);
  mkdirSync(reports, { recursive: true });
  const results: Results = new Map();
  const long = process.env["AIOS_LONG"] === "1";
  const chosen = (each: Suite): boolean =>
    only === null ? (!quick || each.check) && (long || each.long !== true) : only.includes(each.name);
  const begin_ms = performance.now();
  /** By suite, those that run beside. */
  const apart = new Map<string, Promise<void>>();
  for (const suite of suites.filter(chosen)) {
    const before = suite.follows === undefined ? undefined : apart.get(suite.follows);
    if (suite.beside !== true && before === undefined) {
      await runSuite(suite, results);
      continue;
    }
    const running = before === undefined ? runSuite(suite, results) : before.then(() => runSuite(suite, results));
    apart.set(suite.name, running);
    beside.add(running);
    void running.finally(() => beside.delete(running));
  }
  await Promise.all(beside);
  const took_s = (performance.now() - begin_ms) / 1000;
  process.stdout.write(`\n${[...results].map(([name, counts]) => row(name, counts)).join("\n")}\nall in ${took_s.toFixed(1)} s\n\n`);
  for (const [name, counts] of results) for (const test of counts.broken ?? []) process.stdout.write(`${name} failed: ${test}\n`);
  const sum = (read: (counts: Counts) => number): number => [...results.values()].reduce((total, counts) => total + read(counts), 0);
  const failed = sum((counts) => counts.failed);
  process.stdout.write(`${sum((counts) => counts.passed)} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function notRunBecause(suite: Suite, results: ReadonlyMap<string, Counts>): string | null {
  if (suite.root === true && process.getuid?.() !== 0)
    return `it needs root; run: sudo make ${process.argv[2] === "check" ? "check" : "test"}`;
  return suite.needs !== undefined && (results.get(suite.needs)?.failed ?? 0) > 0 ? `"${suite.needs}" failed` : null;
}

/** Of all processors together (proc_stat(5): ticks of 10 ms; idle and waiting for the disk are the fourth and the fifth). */
function busySeconds(): number {
  const ticks = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.split(/\s+/).slice(1, 9).map(Number) ?? [];
  return (ticks.reduce((sum, each) => sum + each, 0) - (ticks[3] ?? 0) - (ticks[4] ?? 0)) / 100;
}

function row(name: string, { passed, failed, skipped, took_s, busy, cpu_s = 0 }: Result): string {
  const others = skipped === 0 ? "" : `, ${skipped} skipped`;
  const counts = `${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed${others}`;
  return `${name.padEnd(19)} ${counts}   ${took_s.toFixed(1)} s, ${cpu_s.toFixed(0)} s of processor, ${busy.toFixed(1)} processors busy`;
}

process.exit(await main());
