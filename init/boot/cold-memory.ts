/**
 * Memory that a service has not touched for a while is taken from it in small steps, long before anyone is short of it: pages of
 * files are dropped (they are read again from the packed root), the others go to the compressed swap. What a start leaves behind
 * is a fifth of an idle system. The kernel knows what is cold (memory.reclaim; Documentation/admin-guide/cgroup-v2.rst), and
 * how long a service has waited for what it wanted back (memory.pressure; Documentation/accounting/psi.rst): the more, the
 * smaller the step. After Weiner et al., "TMO: Transparent Memory Offloading in Datacenters", ASPLOS 2022.
 */

import { writeFile } from "node:fs/promises";
import { cgroup_root, type Slice } from "./cgroups.ts";
import { names, readNumber, readText } from "./files.ts";
import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

/** Not `init`, which has to turn at any time, nor `work`, whose services are not ours. */
const looked_at: readonly Slice[] = ["system", "tiers"];

/** Long enough for all that an idle system does now and then to be touched in between, but for what its patrol does each minute. */
const look_interval_ms = 30_000;
/** A service that has just started is warm all over. */
const settle_ms = 60_000;
/** Of what a service has, in one step, as long as it waits for nothing. */
const step_share = 1 / 8;
/** Of the last minute, spent waiting for what was taken, percent: then nothing is taken. */
const stalled_max_percent = 0.1;

export const coldMemory: Phase = {
  name: "cold memory",
  what: "Takes from the services what they have not touched for a while",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    const look = coldMemoryWatch(cgroup_root, () => boot.sys.clock.nowMs("boottime"));
    let busy = false;
    setInterval(() => {
      if (busy) return;
      busy = true;
      void look().finally(() => {
        busy = false;
      });
    }, look_interval_ms).unref();
    return done(`${looked_at.join(", ")}: looked at every ${look_interval_ms / 1000} s`);
  },
};

type Write = (path: string, text: string) => Promise<void>;

/** @returns to be called again and again; never fails */
export function coldMemoryWatch(root: string, nowMs: () => number, write: Write = writeFile): () => Promise<void> {
  let since = new Map<string, number>();
  return async () => {
    const folders = looked_at.flatMap((slice) => names(`${root}/${slice}`).map((name) => `${root}/${slice}/${name}`));
    const services = folders.filter((folder) => readNumber(`${folder}/memory.current`) !== null);
    since = new Map(services.map((folder) => [folder, since.get(folder) ?? nowMs()]));
    for (const [folder, since_ms] of since) {
      const bytes = nowMs() - since_ms < settle_ms ? 0 : step(folder);
      // there may not be as much (EAGAIN), and the service may be gone
      if (bytes > 0) await write(`${folder}/memory.reclaim`, String(bytes)).catch(() => undefined);
    }
  };
}

/** Bytes to take: none of a service that may not swap (spec.ts). */
function step(folder: string): number {
  if (readText(`${folder}/memory.swap.max`) === "0") return 0;
  const has_bytes = readNumber(`${folder}/memory.current`) ?? 0;
  const [, percent] = /^some .*avg60=([\d.]+)/.exec(readText(`${folder}/memory.pressure`) ?? "") ?? [];
  const ease = 1 - Number(percent ?? stalled_max_percent) / stalled_max_percent;
  return Math.floor(has_bytes * step_share * Math.max(0, ease));
}
