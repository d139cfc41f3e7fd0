/** process.list */

import { z } from "zod";
import { allStats } from "../../../sys/procfs.ts";
import { defineTool } from "../../tool.ts";
import { factsOf, ProcessFacts } from "./shared/facts.ts";
import { membersOf } from "./shared/membership.ts";
import { all_processes } from "./shared/resources.ts";

const limit_max = 100;

export const processList = defineTool({
  name: "process.list",
  title: "List processes",
  description:
    "Lists the processes of the system with owner, service, memory and processor time, filtered and sorted. Use it to find which process uses the memory or the processor, or the pid of a program. For parents and children use process.tree; for everything about one process process.info; for use over time process.trace.",
  input: z.lazy(() =>
    z.strictObject({
      service: z.string().max(64).nullable().default(null).describe("only processes of this service"),
      uid: z.number().int().min(0).max(4_294_967_295).nullable().default(null).describe("only processes of this user id"),
      name: z.string().max(64).nullable().default(null).describe("only processes whose name or program path contains this text"),
      kernel: z.boolean().default(false).describe("also threads of the kernel"),
      sort: z
        .enum(["memory", "cpu", "age", "pid"])
        .default("memory")
        .describe("largest memory, most processor time, oldest, or lowest pid first"),
      offset: z.number().int().min(0).max(1_000_000).default(0).describe("processes to skip"),
      limit: z.number().int().min(1).max(limit_max).default(30).describe("processes to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      processes: z.array(ProcessFacts),
      total: z.number().int().describe("how many fit the filter"),
      truncated: z.boolean().describe("there are more after these: ask with a larger offset"),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: () => ({ resources: [all_processes] }),
  async run(_target, input, context) {
    const members = await membersOf(context);
    const boot_ms = context.clock.boot_ms();
    const found = allStats()
      .filter((stat) => input.kernel || !stat.kernel)
      .map((stat) => factsOf(stat, members(stat), boot_ms))
      .filter((facts) => fits(facts, input))
      .sort((a, b) => order[input.sort](a, b) || a.pid - b.pid);
    const processes = found.slice(input.offset, input.offset + input.limit);
    return { processes, total: found.length, truncated: input.offset + processes.length < found.length };
  },
});

const order = {
  memory: (a, b) => b.rss_bytes - a.rss_bytes,
  cpu: (a, b) => b.cpu_ms - a.cpu_ms,
  age: (a, b) => a.started_ticks - b.started_ticks,
  pid: (a, b) => a.pid - b.pid,
} as const satisfies Record<string, (a: ProcessFacts, b: ProcessFacts) => number>;

interface Filter {
  readonly service: string | null;
  readonly uid: number | null;
  readonly name: string | null;
}

function fits(facts: ProcessFacts, { service, uid, name }: Filter): boolean {
  if (service !== null && facts.service !== service) return false;
  if (uid !== null && facts.uid !== uid) return false;
  return name === null || facts.name.includes(name) || (facts.exe ?? "").includes(name);
}
