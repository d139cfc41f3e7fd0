/** How quickly the console answers, over its socket, in a container at native speed. */

import type { BenchRow } from "../../tooling/bench.ts";
import { startContainer } from "../container.ts";
import { newFolder } from "../places.ts";
import { allReady } from "../scenarios/expect.ts";
import { Samples } from "./rows.ts";

const requests = 2000;
const warm_up = 100;

export async function benchConsole(): Promise<BenchRow[]> {
  const container = await startContainer({ data: newFolder("data") });
  try {
    await container.ready("all");
    await allReady(container.console);
    const samples = new Samples();
    for (const name of ["status", "services", "boot", "processes", "metrics"] as const) {
      for (let n = 0; n < warm_up + requests; n += 1) {
        const begin_ms = performance.now();
        await container.console.call(name);
        if (n >= warm_up) samples.add(`GET ${name}`, performance.now() - begin_ms);
      }
    }
    return samples.rows("ms");
  } finally {
    await container.kill();
  }
}
