/** service.usage */

import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { z } from "zod";
import { allStats, type Stat } from "../../../sys/procfs.ts";
import { defineTool } from "../../tool.ts";
import { membersOf } from "../process/shared/membership.ts";
import { isCore } from "./shared/pid1.ts";
import { allStored } from "./shared/store.ts";

const page_bytes = 4096;
/** Of one process no more are looked at; who has as many is near its limit anyway. */
const files_max = 4096;

const Usage = z.strictObject({
  service: z.string(),
  core: z.boolean().describe("one of the system's own"),
  processes: z.number().int(),
  tasks: z.number().int().describe("threads of all its processes"),
  tasks_max: z.number().int().nullable().describe("pids_max of its definition"),
  memory_bytes: z.number().describe("what its processes share counts once (PSS)"),
  memory_max_bytes: z.number().nullable().describe("of its definition"),
  open_files_ratio: z.number().describe("open files of the process that is nearest to its limit, of that limit (RLIMIT_NOFILE)"),
  deleted_bytes: z.number().describe("what deleted files take that it keeps open"),
});
type Usage = z.infer<typeof Usage>;

export const serviceUsage = defineTool({
  name: "service.usage",
  title: "What services use",
  description:
    "How much of what it may use each service uses: tasks, memory, open files, and disk space of deleted files that it keeps open. Use it to find the service that leaks. For single processes use process.list, for what one has open process.open_files.",
  input: z.lazy(() => z.strictObject({})),
  output: z.lazy(() => z.strictObject({ services: z.array(Usage) })),
  risk: "observe",
  timeout_ms: 30_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [{ kind: "service", id: "*", access: "read", attributes: {} }] }),
  async run(_target, _input, context) {
    const members = await membersOf(context);
    const stored = allStored(context);
    const found = new Map<string, Usage>();
    for (const stat of allStats()) {
      const { service } = members(stat);
      if (stat.kernel || service === null || service === "init") continue;
      const limits = stored.get(service)?.definition.limits;
      const before = found.get(service) ?? {
        ...{ service, core: isCore(service), processes: 0, tasks: 0, tasks_max: limits?.pids_max ?? null, memory_bytes: 0 },
        ...{ memory_max_bytes: limits?.memory_max_bytes ?? null, open_files_ratio: 0, deleted_bytes: 0 },
      };
      found.set(service, withProcess(before, stat));
    }
    return { services: [...found.values()].sort((a, b) => (a.service < b.service ? -1 : 1)) };
  },
});

function withProcess(usage: Usage, stat: Stat): Usage {
  const files = openFiles(stat.pid);
  return {
    ...usage,
    processes: usage.processes + 1,
    tasks: usage.tasks + stat.threads,
    memory_bytes: usage.memory_bytes + memoryOf(stat),
    open_files_ratio: Math.max(usage.open_files_ratio, files.length / limitOf(stat.pid)),
    // a child has what its parent has open: only who opened it counts, which is not known; so the one that has most
    deleted_bytes: Math.max(usage.deleted_bytes, deletedBytes(stat.pid, files)),
  };
}

/** Documentation/filesystems/proc.rst: its own pages, and its part of those that it shares with its children. */
function memoryOf({ pid, rss_pages }: Stat): number {
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
    if (pss !== undefined) return Number(pss) * 1024;
  } catch {
    // it has just ended
  }
  return rss_pages * page_bytes;
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return []; // it has just ended
  }
}

function limitOf(pid: number): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];
    return Number(soft ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Files without a name, on whatever file system; memfd_create(2) and shared memory are memory, not files. */
function deletedBytes(pid: number, files: readonly string[]): number {
  let bytes = 0;
  for (const fd of files.slice(0, files_max)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (!target.endsWith(" (deleted)") || target.startsWith("/memfd:") || target.startsWith("/dev/shm/")) continue;
      const status = statSync(`/proc/${pid}/fd/${fd}`);
      if (status.isFile()) bytes += status.blocks * 512;
    } catch {
      // closed meanwhile
    }
  }
  return bytes;
}
