/** What is known of one process, read from /proc (proc(5)). */

import { readFileSync, readlinkSync, statSync } from "node:fs";
import { z } from "zod";
import type { Resource } from "../../../../contracts/tool.ts";
import type { Stat } from "../../../../sys/procfs.ts";
import type { Membership } from "./membership.ts";

const page_bytes = 4096;
/** USER_HZ is 100 on every architecture that the system runs on. */
export const tick_ms = 10;
export const cmdline_chars_max = 160;
const path_chars_max = 300;

export const ProcessFacts = z.strictObject({
  pid: z.number().int(),
  started_ticks: z.number().describe("when it began, hundredths of a second after boot; with the pid it names this one process"),
  ppid: z.number().int(),
  name: z.string(),
  state: z.string().describe("R running, S sleeping, D waiting for a device, T stopped, Z ended and not yet collected, I idle"),
  uid: z.number().int(),
  exe: z.string().nullable().describe("path of its program, as the kernel knows it; null for threads of the kernel"),
  service: z.string().nullable().describe("the service that it belongs to"),
  slice: z.string().nullable().describe("init, system, tiers or work"),
  call: z.string().nullable().describe("the call of process.spawn that started it"),
  core: z.boolean().describe("PID 1, a thread of the kernel, or part of one of the system's own services"),
  nice: z.number().int(),
  threads: z.number().int(),
  rss_bytes: z.number(),
  cpu_ms: z.number().describe("processor time since it began, milliseconds"),
  waited_ms: z.number().describe("for which its first thread was ready to run, and others had the processor, milliseconds since it began"),
  age_ms: z.number(),
  untrusted_cmdline: z.string().describe("its argument vector, joined by spaces and cut; the process itself can write anything here"),
});
export type ProcessFacts = z.infer<typeof ProcessFacts>;

export function factsOf(stat: Stat, { service, slice, call, core }: Membership, boot_ms: number): ProcessFacts {
  return {
    pid: stat.pid,
    started_ticks: stat.started,
    ppid: stat.ppid,
    name: stat.name,
    state: stat.state,
    uid: uidOf(stat.pid),
    exe: link(stat.pid, "exe"),
    ...{ service, slice, call, core },
    nice: stat.nice,
    threads: stat.threads,
    rss_bytes: stat.rss_pages * page_bytes,
    cpu_ms: stat.ticks * tick_ms,
    waited_ms: waitedOf(stat.pid),
    age_ms: Math.max(0, Math.round(boot_ms - stat.started * tick_ms)),
    untrusted_cmdline: cmdlineOf(stat.pid),
  };
}

/** What policies see of it. */
export function processResource(facts: ProcessFacts, kernel: boolean, access: Resource["access"], spawned_by: string): Resource {
  const { uid, name, exe, service, slice, call, core } = facts;
  const attributes = { uid, name, exe: exe ?? "", service: service ?? "", slice: slice ?? "", call: call ?? "", core, kernel, spawned_by };
  return { kind: "process", id: String(facts.pid), access, attributes };
}

function uidOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return 0;
  }
}

/** Documentation/scheduler/sched-stats.rst: nanoseconds on a processor, then waiting for one. 0 where the kernel does not count it. */
function waitedOf(pid: number): number {
  return Math.round(Number(procText(pid, "schedstat").split(" ")[1] ?? 0) / 1e6);
}

/** What one of its links points to: `exe`, `cwd`, `root`. */
export function link(pid: number, name: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/${name}`).slice(0, path_chars_max).toWellFormed();
  } catch {
    return null;
  }
}

function cmdlineOf(pid: number): string {
  return procText(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, cmdline_chars_max).toWellFormed();
}

export function procText(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
