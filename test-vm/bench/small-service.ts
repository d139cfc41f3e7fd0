/**
 * A supervisor's own part in `kill -9` → ready: the smallest program that says when it is ready (fixtures/ready.c), under
 * our PID 1 and under systemd. The program itself notes when it said so; the kill is timed by the same clock.
 */

import { linuxSystem } from "../../sys/linux.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { startContainer } from "../container.ts";
import { inConventional } from "../conventional/container.ts";
import { testPrograms } from "../fixtures/programs.ts";
import type { Namespaces } from "../namespaces.ts";
import { newFolder } from "../places.ts";
import { allReady, readyAgain } from "../scenarios/expect.ts";
import { waitFor } from "../wait.ts";
import { rowOf, versus } from "./rows.ts";

/** Each service is killed once in a container: further kills would measure the growing wait between restarts. */
const containers = 5;
const services_each = 10;
const conventional_kills = 50;

/** Milliseconds between kills, for what the last one caused to be over. */
const pause_ms = 200;

export const systemd = "systemd 257, Restart=always RestartSec=0";

const clock = linuxSystem().clock;

/** Milliseconds of boot at which each living `ready` said that it was, newest first, with its host pid. */
function readied(inside: Namespaces): { readonly pid: number; readonly at_ms: number }[] {
  return inside
    .processes()
    .flatMap(({ pid, name, state }) => (/^r\d+$/.test(name) && state !== "Z" ? [{ pid, at_ms: Number(name.slice(1)) / 1000 }] : []))
    .sort((a, b) => b.at_ms - a.at_ms);
}

/** @returns milliseconds from the kill to READY=1 of what comes in its place */
async function killAndWait(inside: Namespaces, pid: number): Promise<number> {
  await Bun.sleep(pause_ms);
  const begin_ms = clock.nowMs("monotonic");
  process.kill(pid, "SIGKILL");
  const back = (): number | undefined => readied(inside).find(({ at_ms }) => at_ms > begin_ms)?.at_ms;
  return (await waitFor("the small service", back, { limit_ms: 20_000, every_ms: 50 })) - begin_ms;
}

export async function benchSmallService(conventional: Namespaces): Promise<BenchRow[]> {
  const plain: number[] = [];
  const boxed: number[] = [];
  const programs = await testPrograms();
  for (let round = 1; round <= containers; round += 1) {
    const names = (kind: string): string[] => Array.from({ length: services_each }, (_, n) => `${kind}-${n}`);
    const lines = [
      ...names("plain").map((name) => `  ${name}: { argv: [/mnt/ready], ready: notify, sandbox: false }`),
      ...names("boxed").map((name) => `  ${name}: { argv: [/mnt/ready], ready: notify }`),
    ];
    const container = await startContainer({ data: newFolder("data"), config: `extra_services:\n${lines.join("\n")}\n`, programs });
    try {
      await container.ready("all");
      await allReady(container.console);
      for (const [kind, samples] of [["plain", plain] as const, ["boxed", boxed] as const])
        for (const name of names(kind)) {
          const { pid } = await readyAgain(container.console, name, null);
          samples.push(await killAndWait(container, container.hostPid(pid ?? 0)));
        }
    } finally {
      await container.kill();
    }
    say(`killed small services, ${round} of ${containers}`);
  }

  const theirs: number[] = [];
  await inConventional(conventional, ["systemctl", "start", "small.service"]);
  for (let round = 0; round < conventional_kills; round += 1) {
    const [running] = readied(conventional);
    if (running === undefined) throw new Error('killing the conventional service failed: "small.service" does not run');
    theirs.push(await killAndWait(conventional, running.pid));
  }
  return [
    versus(rowOf("kill -9 to ready, a small program", "ms", plain), systemd, rowOf("", "ms", theirs)),
    versus(rowOf("kill -9 to ready, a small program in a sandbox", "ms", boxed), `${systemd}, no sandbox`, rowOf("", "ms", theirs)),
  ];
}
