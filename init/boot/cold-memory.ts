/**
 * Memory that a service has not touched for a while is taken from it in small steps, long before anyone is short of it: pages of
 * files are dropped (they are read again from the packed root), the others go to the compressed swap. What a start leaves behind
 * is a fifth of an idle system. The kernel knows what is cold (memory.reclaim; Documentation/admin-guide/cgroup-v2.rst), and
 * how long a service has waited for what it wanted back (memory.pressure; Documentation/accounting/psi.rst): the more, the
 * smaller the step. After Weiner et al., "TMO: Transparent Memory Offloading in Datacenters", ASPLOS 2022.
 *
 * The runtime's code, which all share, was first read by PID 1, and counts as its own (stage0.c): of `init` only pages of files
 * are taken, and less the longer anyone in the machine waited.
 */

import { writeFile } from "node:fs/promises";
import { cgroup_root, type Slice } from "./cgroups.ts";
import { names, readNumber, readText } from "./files.ts";
import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

/** Not `work`, whose services are not ours. */
const looked_at: readonly Slice[] = ["system", "tiers"];
const first: Slice = "init";

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
    const found = [`${root}/${first}`, ...folders].filter((folder) => readNumber(`${folder}/memory.current`) !== null);
    since = new Map(found.map((folder) => [folder, since.get(folder) ?? nowMs()]));
    for (const [folder, since_ms] of since) {
      if (nowMs() - since_ms < settle_ms) continue;
      const bytes = folder === `${root}/${first}` ? step(filesOf(folder), root) : step(touchableOf(folder), folder);
      // there may not be as much (EAGAIN), and the service may be gone
      if (bytes > 0) await write(`${folder}/memory.reclaim`, String(bytes)).catch(() => undefined);
    }
  };
}

/** Bytes to take. @param has_bytes what may be taken. @param waiting the cgroup of those who would wait for it */
function step(has_bytes: number, waiting: string): number {
  const [, percent] = /^some .*avg60=([\d.]+)/.exec(readText(`${waiting}/memory.pressure`) ?? "") ?? [];
  const ease = 1 - Number(percent ?? stalled_max_percent) / stalled_max_percent;
  return Math.floor(has_bytes * step_share * Math.max(0, ease));
}

/** All that a service has; nothing of one that may not swap (spec.ts). */
function touchableOf(folder: string): number {
  return readText(`${folder}/memory.swap.max`) === "0" ? 0 : (readNumber(`${folder}/memory.current`) ?? 0);
}

/** Pages of files: all that the kernel can take where nothing may swap (cgroups.ts). */
function filesOf(folder: string): number {
  const [, bytes] = /^file (\d+)$/m.exec(readText(`${folder}/memory.stat`) ?? "") ?? [];
  return readText(`${folder}/memory.swap.max`) === "0" ? Number(bytes ?? 0) : 0;
}
