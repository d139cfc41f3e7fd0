/** Kernel parameters (Documentation/admin-guide/sysctl) and limits of processes, as data with reasons. */

import { existsSync, writeFileSync } from "node:fs";
import type { LimitedResource, LimitValue } from "../../sys/host.ts";
import { readText, reasonOf } from "./files.ts";
import type { Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

interface Sysctl {
  readonly key: string;
  readonly value: string;
  readonly why: string;
}

export const sysctls: readonly Sysctl[] = [
  { key: "kernel/panic", value: "10", why: "a panic ends in a reboot, not in a dead machine" },
  { key: "kernel/panic_on_oops", value: "1", why: "a kernel that went wrong once is not trusted further" },
  { key: "kernel/kptr_restrict", value: "2", why: "kernel addresses help an attacker only" },
  { key: "kernel/dmesg_restrict", value: "1", why: "tiers read the kernel log through PID 1, marked untrusted" },
  { key: "kernel/unprivileged_bpf_disabled", value: "1", why: "no tier needs it" },
  { key: "kernel/perf_event_paranoid", value: "3", why: "no tier needs it" },
  { key: "kernel/yama/ptrace_scope", value: "2", why: "a service that is taken over cannot read another of the same user" },
  { key: "kernel/ctrl-alt-del", value: "0", why: "Ctrl-Alt-Del is a request to PID 1" },
  { key: "kernel/core_pattern", value: "", why: "a core file would carry keys and context to disk" },
  { key: "kernel/printk", value: "4 4 1 4", why: "the serial console shows warnings; the rest is in the log" },
  { key: "vm/overcommit_memory", value: "0", why: "the runtime reserves far more than it uses" },
  { key: "vm/panic_on_oom", value: "0", why: "the OOM killer chooses by the scores of the service table" },
  { key: "vm/oom_kill_allocating_task", value: "0", why: "as above" },
  { key: "vm/swappiness", value: "100", why: "what lies compressed in memory is back as soon as a page of the packed root" },
  { key: "vm/max_map_count", value: "262144", why: "SQLite and model files are mapped" },
  { key: "vm/mmap_min_addr", value: "65536", why: "a null pointer in the kernel stays a fault" },
  { key: "fs/protected_hardlinks", value: "1", why: "no tricks with links in /tmp" },
  { key: "fs/protected_symlinks", value: "1", why: "as above" },
  { key: "fs/protected_fifos", value: "2", why: "as above" },
  { key: "fs/protected_regular", value: "2", why: "as above" },
  { key: "fs/suid_dumpable", value: "0", why: "as core files" },
  { key: "fs/inotify/max_user_watches", value: "65536", why: "the tiers watch files" },
  { key: "net/ipv4/conf/all/rp_filter", value: "2", why: "loose, for several interfaces: no packet from where no route leads" },
  { key: "net/ipv4/conf/all/accept_redirects", value: "0", why: "routes come from the config or a lease" },
  { key: "net/ipv6/conf/all/accept_redirects", value: "0", why: "as above" },
  { key: "net/ipv4/conf/all/send_redirects", value: "0", why: "not a router" },
  { key: "net/ipv4/conf/all/accept_source_route", value: "0", why: "nobody needs it" },
  { key: "net/ipv4/tcp_syncookies", value: "1", why: "SYN floods" },
  { key: "net/ipv4/icmp_echo_ignore_broadcasts", value: "1", why: "not an amplifier" },
  { key: "net/ipv4/ip_forward", value: "0", why: "not a router" },
];

export const kernelParameters: Phase = {
  name: "kernel parameters",
  what: "Kernel parameters that differ from the kernel's own choice",
  modes: "machine",
  limit_ms: 1000,
  run: async () => {
    const refused = applySysctls("/proc/sys", sysctls);
    if (refused.length === 0) return done(`${sysctls.length} looked at`);
    return degraded(
      "kernel parameters",
      `left as they were: ${refused.join("; ")}`,
      "nothing is broken by it; see init/boot/tunables.ts for what each is for",
    );
  },
};

/** One that this kernel does not have is left out: the feature that it tames is not built in. @returns what was refused */
export function applySysctls(root: string, table: readonly Sysctl[]): string[] {
  return table.flatMap(({ key, value }) => {
    const path = `${root}/${key}`;
    if (!existsSync(path) || same(readText(path), value)) return [];
    try {
      writeFileSync(path, `${value}\n`);
      return [];
    } catch (error) {
      return [reasonOf(error)];
    }
  });
}

function same(present: string | null, wanted: string): boolean {
  return present !== null && present.split(/\s+/).join(" ") === wanted;
}

interface ProcessLimit {
  readonly resource: LimitedResource;
  readonly soft: LimitValue;
  readonly hard: LimitValue;
  readonly why: string;
}

/** Of PID 1, and so of all that it starts and gives no limit of its own. */
export const process_limits: readonly ProcessLimit[] = [
  { resource: "core", soft: 0, hard: 0, why: "no core files" },
  { resource: "nofile", soft: 65_536, hard: 524_288, why: "one connection and three pipes a service, many of the console's clients" },
  { resource: "memlock", soft: 8 * 1024 * 1024, hard: 8 * 1024 * 1024, why: "keys may be locked, a memory hog may not" },
];

export const processLimits: Phase = {
  name: "process limits",
  what: "Limits of PID 1, which all that it starts inherits",
  modes: "both",
  limit_ms: 1000,
  run: async (boot) => {
    const refused: string[] = [];
    for (const { resource, soft, hard } of process_limits) {
      try {
        const present = boot.sys.host.limit(resource);
        const allowed = least(hard, present.hard); // only CAP_SYS_RESOURCE may raise a hard limit; below it will do
        boot.sys.host.setLimit(resource, { soft: least(soft, allowed), hard: allowed });
      } catch (error) {
        refused.push(reasonOf(error));
      }
    }
    if (refused.length === 0) return done(process_limits.map(({ resource }) => resource).join(", "));
    return degraded("process limits", refused.join("; "), "see init/boot/tunables.ts for what each is for");
  },
};

function least(a: LimitValue, b: LimitValue): LimitValue {
  if (a === "infinity") return b;
  return b === "infinity" ? a : Math.min(a, b);
}
