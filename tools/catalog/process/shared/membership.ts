/**
 * To whom a process belongs: a service, a slice, a call. By its cgroup where there are cgroups; else PID 1 is asked, which
 * knows what it started.
 */

import { core_services } from "../../../../contracts/service.ts";
import type { Stat } from "../../../../sys/procfs.ts";
import type { Context } from "../../../context.ts";
import { procText } from "./facts.ts";

export interface Membership {
  readonly service: string | null;
  readonly slice: string | null;
  readonly call: string | null;
  /** PID 1, a thread of the kernel, or part of one of the system's own services. */
  readonly core: boolean;
}

export type Members = (stat: Stat) => Membership;

const slices: readonly string[] = ["init", "system", "tiers", "work"];
/** Slices in which nothing but the system's own services lives. */
const own_slices: readonly string[] = ["init", "system", "tiers"];
/** Services of the image that are no role of ours (init/boot/programs.ts). */
const own_services: readonly string[] = [...core_services, "init", "chronyd", "dhcpcd"];

const not_a_member: Membership = { service: null, slice: null, call: null, core: false };

/** Looks once; what it gives is good for the processes of this moment. */
export async function membersOf(context: Pick<Context, "init" | "places">): Promise<Members> {
  const by_pid = await servicesByPid(context);
  return (stat) => {
    const found = byCgroup(procText(stat.pid, "cgroup")) ?? not_a_member;
    const service = stat.pid === 1 ? "init" : (found.service ?? by_pid.get(stat.pid) ?? null);
    const is_own = stat.kernel || stat.pid === 1 || stat.pid === process.pid || (service !== null && own_services.includes(service));
    return { ...found, service, core: is_own || (found.slice !== null && own_slices.includes(found.slice)) };
  };
}

/** From /proc/pid/cgroup: `0::/tiers/reactive`, `0::/work/tools/1a2b3c4d-call-17-1`. @returns null where it is in no slice */
export function byCgroup(lines: string): Membership | null {
  const [slice, unit, cell] = /^0::\/(\S*)$/m.exec(lines)?.[1]?.split("/") ?? [];
  if (slice === undefined || !slices.includes(slice)) return null;
  if (slice === "work" && unit === "tools") return { ...not_a_member, slice, call: cell?.replace(/-[0-9]+$/, "") ?? null };
  return { ...not_a_member, slice, service: unit ?? null };
}

async function servicesByPid({ init, places }: Pick<Context, "init" | "places">): Promise<ReadonlyMap<number, string>> {
  if (places.cgroup !== null || init === null) return new Map();
  const known = new Map<number, string>();
  for (const { pid, service } of await init.call("system.processes", {})) if (service !== null) known.set(pid, service);
  return known;
}
