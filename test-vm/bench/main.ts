/** `make bench AREA=…`: measures one area and writes build/bench/AREA.json (tooling/bench.ts has the form of a row). */

import { type BenchRow, writeBench } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { benchFaults } from "../faults/main.ts";
import { benchBoot } from "./boot.ts";
import { benchConsole } from "./console.ts";
import { benchIntelligence } from "./intelligence.ts";
import { benchMemory } from "./memory/index.ts";
import { benchSupervise } from "./supervise.ts";
import { benchTools } from "./tools.ts";

const areas: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  boot: benchBoot,
  supervise: benchSupervise,
  console: benchConsole,
  intelligence: benchIntelligence,
  tools: benchTools,
  memory: benchMemory,
  faults: benchFaults,
};

async function main(wanted: string | undefined): Promise<number> {
  for (const area of wanted === undefined ? Object.keys(areas) : [wanted]) {
    const status = await benchArea(area);
    if (status !== 0) return status;
  }
  return 0;
}

async function benchArea(area: string): Promise<number> {
  const measure = Object.hasOwn(areas, area) ? areas[area] : undefined;
  if (measure === undefined) {
    say(`choosing an area failed: "${area}" is none; use AREA=${Object.keys(areas).join("|")}, or none for all`);
    return 2;
  }
  const rows = await measure();
  for (const row of rows) {
    process.stdout.write(`${line(row.name, row, row.unit)}\n`);
    if (row.versus !== undefined) process.stdout.write(`${line(`  versus ${row.versus.name}`, row.versus, row.unit)}\n`);
  }
  say(`written to ${writeBench(area, rows)}`);
  return 0;
}

function line(name: string, row: Pick<BenchRow, "n" | "p50" | "p99" | "value">, unit: string): string {
  const figures = [`n ${row.n}`, `p50 ${figure(row.p50)}`, `p99 ${figure(row.p99)}`];
  if (row.value !== undefined) figures.push(`value ${figure(row.value)}`);
  return `${name.padEnd(62)} ${figures.join("  ")} ${unit}`;
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

process.exit(await main(process.argv[2]));
