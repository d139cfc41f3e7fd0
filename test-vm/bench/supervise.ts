/**
 * How quickly a killed service is back, what PID 1 costs while nothing happens, and what 100,000 short children do to it.
 * In a container, at native speed.
 */

import { readdirSync, readFileSync } from "node:fs";
import { Client } from "../../console/aiosctl/client.ts";
import { emptyModel, keepFresh } from "../../console/aiosctl/watch/model.ts";
import { core_services } from "../../contracts/service.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { type Container, startContainer } from "../container.ts";
import { startConventional } from "../conventional/container.ts";
import { testPrograms } from "../fixtures/programs.ts";
import { newFolder } from "../places.ts";
import { allReady, eventWhere, readyAgain, serviceStatus } from "../scenarios/expect.ts";
import { Samples } from "./rows.ts";
import { benchShortChildren } from "./short-children.ts";
import { benchSmallService } from "./small-service.ts";

/** Each service is killed once in a container: further kills would measure the growing wait between restarts. */
const containers = 8;
/** CPU time is taken over this many stretches of this length. */
const stretches = 4;
const stretch_ms = 15_000;
const settle_ms = 5_000;
/** As `aiosctl watch` asks by itself. */
const view_interval_ms = 1_000;

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
  const rows = [...back.rows("ms"), ...start.rows("ms"), ...(await processorTime())];
  const conventional = await startConventional(await testPrograms());
  try {
    return [...rows, ...(await benchSmallService(conventional)), ...(await benchShortChildren(conventional))];
  } finally {
    await conventional.kill();
  }
}

async function processorTime(): Promise<BenchRow[]> {
  const container = await startContainer({ data: newFolder("data") });
  const used = new Samples();
  const measure = async (how: string): Promise<void> => {
    await Bun.sleep(settle_ms);
    for (let n = 0; n < stretches; n += 1) {
      const before = { pid1: processorTime_ms(container.pid), at_ms: performance.now() };
      await Bun.sleep(stretch_ms);
      const minutes = (performance.now() - before.at_ms) / 60_000;
      used.add(`CPU of PID 1 a minute, ${how}`, (processorTime_ms(container.pid) - before.pid1) / minutes);
    }
    say(`CPU of PID 1 measured, ${how}`);
  };
  try {
    await container.ready("all");
    await allReady(container.console);
    await measure("idle");
    const view = new AbortController();
    keepFresh(new Client(container.console_socket), emptyModel(), view_interval_ms, view.signal, () => {});
    await measure("live view open");
    view.abort();
    return used.rows("ms");
  } finally {
    await container.kill();
  }
}

/** All threads together (Documentation/scheduler/sched-stats.rst: nanoseconds on a processor come first). */
function processorTime_ms(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
  return ns.reduce((sum, one) => sum + one, 0) / 1e6;
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
