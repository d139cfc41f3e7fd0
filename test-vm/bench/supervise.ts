/** How quickly a killed service is back, and what 100,000 short children do to PID 1. In a container, at native speed. */

import { readFileSync } from "node:fs";
import { core_services } from "../../contracts/service.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { type Container, startContainer } from "../container.ts";
import { testPrograms } from "../fixtures/programs.ts";
import { newFolder } from "../places.ts";
import { allReady, eventWhere, readyAgain, serviceStatus } from "../scenarios/expect.ts";
import { waitFor } from "../wait.ts";
import { rowOfValue, Samples } from "./rows.ts";

/** Each service is killed once in a container: further kills would measure the growing wait between restarts. */
const containers = 8;
const children = 100_000;

export async function benchSupervise(): Promise<BenchRow[]> {
  const back = new Samples();
  const start = new Samples();
  for (let round = 1; round <= containers; round += 1) {
    const begin_ms = performance.now();
    const container = await startContainer({ data: newFolder("data") });
    try {
      await container.ready("console");
      start.add("container: start to console ready", performance.now() - begin_ms);
      await container.ready("all");
      const { marks } = await container.console.call("boot");
      start.add("container: PID 1 exec to console ready", (marks["console-ready"] ?? Number.NaN) - (marks["stage0"] ?? Number.NaN));
      await allReady(container.console);
      for (const name of core_services) {
        const took_ms = await killAndWait(container, name);
        back.add("kill -9 to ready, all services", took_ms);
        back.add(`kill -9 to ready, ${name}`, took_ms);
      }
      say(`killed each service, ${round} of ${containers}`);
    } finally {
      await container.kill();
    }
  }
  return [...back.rows("ms"), ...start.rows("ms"), ...(await shortChildren())];
}

/** By the wall clock, which a container has in common with its host; whole milliseconds. */
async function killAndWait(container: Container, name: string): Promise<number> {
  const before = await serviceStatus(container.console, name);
  const begin_ms = Date.now();
  process.kill(container.hostPid(before.pid ?? 0), "SIGKILL");
  await readyAgain(container.console, name, before.pid);
  const fits = ({ facts, time_ms }: { readonly facts: { service: string; to: string }; readonly time_ms: number }): boolean =>
    facts.service === name && facts.to === "ready" && time_ms >= begin_ms;
  return (await eventWhere(container.console, "service.state", fits)).time_ms - begin_ms;
}

async function shortChildren(): Promise<BenchRow[]> {
  const programs = await testPrograms();
  const container = await startContainer({ data: newFolder("data") });
  try {
    await container.ready("all");
    await Bun.sleep(3000);
    const before = residentBytes(container.pid);
    const begin_ms = performance.now();
    await container.sh([`${programs}/orphans`, String(children)], 600_000);
    const zombies = (): number => container.processes().filter(({ state }) => state === "Z").length;
    await waitFor("no zombies", () => zombies() === 0, { limit_ms: 60_000 });
    const took_s = (performance.now() - begin_ms) / 1000;
    await Bun.sleep(3000);
    const after = residentBytes(container.pid);
    return [
      rowOfValue("short children, spawned and reaped", "1/s", children / took_s),
      rowOfValue(`memory (PSS) of PID 1 before ${children} children`, "bytes", before),
      rowOfValue(`memory (PSS) of PID 1 after ${children} children`, "bytes", after),
    ];
  } finally {
    await container.kill();
  }
}

function residentBytes(pid: number): number {
  return 1024 * Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}
