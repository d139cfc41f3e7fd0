/** What 100,000 short children, orphans all, do to PID 1: how fast they go, and what stays in its memory. */

import { readFileSync } from "node:fs";
import type { BenchRow } from "../../tooling/bench.ts";
import { startContainer } from "../container.ts";
import { testPrograms } from "../fixtures/programs.ts";
import type { Namespaces } from "../namespaces.ts";
import { newFolder } from "../places.ts";
import { waitFor } from "../wait.ts";
import { rowOfValue, versus } from "./rows.ts";

const children = 100_000;
const settle_ms = 3000;

interface Measured {
  readonly per_s: BenchRow;
  readonly before: BenchRow;
  readonly after: BenchRow;
}

async function measure(inside: Namespaces, programs: string): Promise<Measured> {
  await Bun.sleep(settle_ms);
  const before = rowOfValue(`memory (PSS) of PID 1 before ${children} children`, "bytes", residentBytes(inside.pid));
  const begin_ms = performance.now();
  await inside.sh([`${programs}/orphans`, String(children)], 600_000);
  const zombies = (): number => inside.processes().filter(({ state }) => state === "Z").length;
  await waitFor("no zombies", () => zombies() === 0, { limit_ms: 60_000 });
  const took_s = (performance.now() - begin_ms) / 1000;
  await Bun.sleep(settle_ms);
  const after = rowOfValue(`memory (PSS) of PID 1 after ${children} children`, "bytes", residentBytes(inside.pid));
  return { per_s: rowOfValue("short children, spawned and reaped", "1/s", children / took_s), before, after };
}

export async function benchShortChildren(conventional: Namespaces): Promise<BenchRow[]> {
  const programs = await testPrograms();
  const container = await startContainer({ data: newFolder("data") });
  try {
    await container.ready("all");
    const ours = await measure(container, programs);
    const theirs = await measure(conventional, programs);
    return (["per_s", "before", "after"] as const).map((what) => versus(ours[what], "systemd 257", theirs[what]));
  } finally {
    await container.kill();
  }
}

function residentBytes(pid: number): number {
  return 1024 * Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}
