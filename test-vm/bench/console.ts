/**
 * How quickly the console answers, over its socket, in a container at native speed. Beside it what one would ask
 * otherwise: systemd, by systemctl. That is a program to be started; so is aiosctl, which has rows of its own.
 */

import type { BenchRow } from "../../tooling/bench.ts";
import { run } from "../../tooling/run.ts";
import { type Container, startContainer } from "../container.ts";
import { inConventional, startConventional } from "../conventional/container.ts";
import { testPrograms } from "../fixtures/programs.ts";
import type { Namespaces } from "../namespaces.ts";
import { needBuilt, newFolder } from "../places.ts";
import { allReady } from "../scenarios/expect.ts";
import { rowOf, Samples, versus } from "./rows.ts";

const requests = 2000;
const warm_up = 100;
/** Of a program that is started for one question. */
const starts = 200;

/** The same questions to systemd. */
const asked: Readonly<Record<string, readonly string[]>> = {
  status: ["systemctl", "--no-pager", "status"],
  services: ["systemctl", "--no-pager", "list-units", "--type=service"],
};

export async function benchConsole(): Promise<BenchRow[]> {
  const programs = await testPrograms();
  const container = await startContainer({ data: newFolder("data") });
  try {
    await container.ready("all");
    await allReady(container.console);
    const own = await requestRows(container);
    const conventional = await startConventional(programs);
    try {
      return await besideSystemd(own, conventional, container, programs);
    } finally {
      await conventional.kill();
    }
  } finally {
    await container.kill();
  }
}

async function requestRows(container: Container): Promise<BenchRow[]> {
  const samples = new Samples();
  for (const name of ["status", "services", "boot", "processes", "metrics"] as const) {
    for (let n = 0; n < warm_up + requests; n += 1) {
      const begin_ms = performance.now();
      await container.console.call(name);
      if (n >= warm_up) samples.add(`GET ${name}`, performance.now() - begin_ms);
    }
  }
  return samples.rows("ms");
}

async function besideSystemd(
  own: readonly BenchRow[],
  conventional: Namespaces,
  container: Container,
  programs: string,
): Promise<BenchRow[]> {
  const rows = [...own];
  for (const [word, argv] of Object.entries(asked)) {
    const theirs = rowOf(word, "ms", milliseconds(await inConventional(conventional, ["/mnt/repeat", String(starts), ...argv])));
    const client = [needBuilt("client"), "--socket", container.console_socket, word];
    const ours = rowOf(`aiosctl ${word}, started for it`, "ms", milliseconds(await run([`${programs}/repeat`, String(starts), ...client])));
    const name = argv.join(" ");
    rows.push(versus(ours, name, theirs));
    const at = rows.findIndex((row) => row.name === `GET ${word}`);
    const row = rows[at];
    if (row !== undefined) rows[at] = versus(row, name, theirs);
  }
  return rows;
}

/** What fixtures/repeat.c prints. */
function milliseconds(text: string): number[] {
  return text
    .trim()
    .split("\n")
    .map((line) => Number(line) / 1000);
}
