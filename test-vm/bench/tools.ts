/**
 * What a call costs: over the broker's own socket in a container at native speed, with the real policies and a durable
 * audit; beside it what one would do otherwise, a program that is started for it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { broker_methods } from "../../contracts/broker.ts";
import { callerSocket } from "../../contracts/paths.ts";
import { CallMeta } from "../../contracts/tool.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { benchAudit } from "../../tools/audit/bench.ts";
import { benchTrees } from "../../tools/catalog/fs/bench.ts";
import { benchAuthorisation } from "../../tools/policy/bench.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import { type Container, startContainer } from "../container.ts";
import { build, newFolder } from "../places.ts";
import { rowOf, versus } from "./rows.ts";

const reads = 2000;
const warm_up = 200;
/** Of a program that is started for one read. */
const starts = 500;
const writes = 300;
const together = 16;

const person = { name: "operator", role: "admin" } as const;
const meta = CallMeta.parse({ reason: { text: "a benchmark" } });

export async function benchTools(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(build, "bench-tools-"));
  try {
    const rows = [...(await benchCalls()), ...(await benchAuthorisation())];
    say("calls and policies measured");
    rows.push(...(await benchAudit(folder)));
    say("the audit measured");
    rows.push(...(await benchTrees(folder)));
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchCalls(): Promise<BenchRow[]> {
  const container = await startContainer({ data: newFolder("data") });
  try {
    await container.ready("all");
    const call = await connect(container);
    await call("fs.mkdir", { path: "/var/lib/aios/work", parents: true, exist_ok: true });
    const path = "/var/lib/aios/work/file";
    await call("fs.write", { path, content: "x".repeat(4096), how: "write" });
    const read = await timed("fs.read of 4 KiB, through the broker", reads, () => call("fs.read", { path }));
    const cat = join(container.root, path);
    const shell = await timed("sh", starts, async () => {
      if (!Bun.spawnSync(["sh", "-c", 'cat "$1"', "sh", cat]).success) throw new Error(`reading "${cat}" with cat failed`);
    });
    const list = await timed("a page of the catalogue", 500, () => call(null, {}));
    let number = 0;
    const write = await timed("fs.write of 4 KiB, durable and undoable, one at a time", writes, () =>
      call("fs.write", { path: `${path}-${number++ % 50}`, content: "y".repeat(4096), how: "write" }),
    );
    const begin_ms = performance.now();
    for (let n = 0; n < writes; n += together)
      await Promise.all(
        Array.from({ length: together }, (_, k) => call("fs.write", { path: `${path}-${k}`, content: "z".repeat(4096), how: "write" })),
      );
    const rate = (1000 * Math.ceil(writes / together) * together) / (performance.now() - begin_ms);
    return [
      versus(read, "sh -c 'cat file', started for it", shell),
      list,
      write,
      { name: `audited durable writes, ${together} at once`, unit: "1/s", n: writes, p50: rate, p99: rate, value: rate },
    ];
  } finally {
    await container.kill();
  }
}

/** Calls as the console makes them. @returns a call that has to be done; without a name, a page of the catalogue */
async function connect(container: Container): Promise<(name: string | null, args: Record<string, unknown>) => Promise<void>> {
  const socket = join(container.root, callerSocket("broker", "console"));
  const peer = await connectUnix(socket, { ...silent, calls: broker_methods, tells: {} });
  return async (name, args) => {
    if (name === null) return void (await peer.call("tools/list", {}));
    const { _meta } = await peer.call("tools/call", { name, arguments: args, _meta: meta, person }, 30_000);
    if (_meta.status !== "done") throw new Error(`calling ${name} ended as ${_meta.status}: ${_meta.text}`);
  };
}

async function timed(name: string, count: number, work: () => Promise<void>): Promise<BenchRow> {
  const times: number[] = [];
  for (let n = 0; n < warm_up + count; n += 1) {
    const begin_ms = performance.now();
    await work();
    if (n >= warm_up) times.push(performance.now() - begin_ms);
  }
  return rowOf(name, "ms", times);
}
