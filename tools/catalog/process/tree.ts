/** process.tree */

import { z } from "zod";
import { allStats, type Stat } from "../../../sys/procfs.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { factsOf, ProcessFacts } from "./shared/facts.ts";
import { membersOf } from "./shared/membership.ts";
import { all_processes } from "./shared/resources.ts";

const limit_max = 100;

export const processTree = defineTool({
  name: "process.tree",
  title: "Tree of processes",
  description:
    "Lists a process and all below it (children, their children, …), each with its depth, parents before children. Use it to see what a service or program has started. Without a pid it begins at PID 1. For a flat, sorted list use process.list.",
  input: z.lazy(() =>
    z.strictObject({
      pid: z.number().int().min(1).max(4_194_304).default(1).describe("where the tree begins"),
      depth_max: z.number().int().min(0).max(64).default(16).describe("levels below it"),
      offset: z.number().int().min(0).max(1_000_000).default(0).describe("processes to skip"),
      limit: z.number().int().min(1).max(limit_max).default(50).describe("processes to return"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      processes: z.array(ProcessFacts.extend({ depth: z.number().int().describe("0 is the process that was asked for") })),
      total: z.number().int(),
      truncated: z.boolean().describe("there are more after these: ask with a larger offset"),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true,
  image: null,
  resolve: () => ({ resources: [all_processes] }),
  async run(_target, { pid, depth_max, offset, limit }, context) {
    const stats = allStats();
    const root = stats.find((stat) => stat.pid === pid);
    if (root === undefined)
      throw new ToolError(`looking for process ${pid} failed: there is no process with this pid; process.list shows those that there are`);
    const found = below(root, stats, depth_max);
    const members = await membersOf(context);
    const boot_ms = context.clock.boot_ms();
    const processes = found.slice(offset, offset + limit).map(({ stat, depth }) => ({ ...factsOf(stat, members(stat), boot_ms), depth }));
    return { processes, total: found.length, truncated: offset + processes.length < found.length };
  },
});

interface Node {
  readonly stat: Stat;
  readonly depth: number;
}

/** Depth first: a child stands behind its parent. */
function below(root: Stat, stats: readonly Stat[], depth_max: number): Node[] {
  const children = Map.groupBy(stats, (stat) => stat.ppid);
  const found: Node[] = [];
  const open: Node[] = [{ stat: root, depth: 0 }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    found.push(node);
    const { depth } = node;
    if (depth >= depth_max) continue;
    for (const stat of (children.get(node.stat.pid) ?? []).toReversed()) open.push({ stat, depth: depth + 1 });
  }
  return found;
}
