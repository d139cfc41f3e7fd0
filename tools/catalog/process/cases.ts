/** Cases of the process tools (testing/case.ts). */

import { spawn } from "node:child_process";
import { linuxSystem } from "../../../sys/linux.ts";
import { allStats, readStat } from "../../../sys/procfs.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { procText } from "./shared/facts.ts";

/** Seconds that name the sleepers of one world. */
const marks = new WeakMap<World, string>();
let count = 0;

function markOf(world: World): string {
  const known = marks.get(world);
  if (known !== undefined) return known;
  count += 1;
  const mark = `${7_000_000 + process.pid}.${count}`;
  marks.set(world, mark);
  return mark;
}

/** Processes that sleep for this long, whoever started them. */
function sleepers(world: World): number[] {
  const wanted = `sleep\0${markOf(world)}\0`;
  return allStats()
    .filter(({ pid, state, name }) => state !== "Z" && name === "sleep" && procText(pid, "cmdline").endsWith(wanted))
    .map(({ pid }) => pid);
}

async function startSleeper(world: World): Promise<number> {
  spawn("sleep", [markOf(world)], { stdio: "ignore", detached: true }).unref();
  for (let round = 0; round < 2000; round += 1) {
    const [pid] = sleepers(world);
    if (pid !== undefined && readStat(pid)?.state === "S") return pid;
    await Bun.sleep(1);
  }
  throw new Error("starting a sleeper failed: it did not come to sleep within 2 s");
}

function end(world: World): void {
  for (const pid of sleepers(world)) process.kill(pid, "SIGKILL");
}

const sys = linuxSystem();

function observe(world: World): unknown {
  return sleepers(world).map((pid) => {
    const stat = readStat(pid);
    return {
      stopped: stat?.state === "T",
      nice: stat?.nice,
      io: sys.process.ioPriority(pid),
      limits: (["nofile", "core", "fsize"] as const).map((name) => sys.process.limit(pid, name)),
    };
  });
}

const bad_processes = (_world: World) => [{ process: 4_194_304 }, { process: "00000000-call-1" }, { process: -1 }];

function onSleeper(tool: string, name: string, args: Record<string, unknown>, more: Partial<ToolCase> = {}): ToolCase {
  const prepare = async (world: World) => ({ process: await startSleeper(world), ...args });
  return { tool, name, prepare, observe, clean: end, bad: (world) => bad_processes(world).map((bad) => ({ ...args, ...bad })), ...more };
}

const frozen: Partial<ToolCase> = {
  prepare: async (world) => {
    const pid = await startSleeper(world);
    process.kill(pid, "SIGSTOP");
    // it stops when it is next scheduled, not when it is told
    while (readStat(pid)?.state !== "T") await Bun.sleep(1);
    return { process: pid, signal: "CONT" };
  },
};

export const process_cases: readonly ToolCase[] = [
  {
    tool: "process.spawn",
    name: "in the background",
    prepare: (world) => ({ argv: ["/bin/sleep", markOf(world)], background: true }),
    observe: (world) => sleepers(world).length,
    bad: () => [{ argv: ["sleep"] }, { argv: ["/no/such"] }, { argv: ["/bin/sleep", "1"], env: { LD_PRELOAD: "/x" } }],
    clean: end,
  },
  {
    tool: "process.spawn",
    name: "to its end",
    prepare: (world) => ({ argv: ["/bin/sh", "-c", `sleep ${markOf(world)} & echo begun`] }),
    observe: (world) => sleepers(world).length,
    check: (answer) => {
      if (answer["stdout"] !== "begun\n") throw new Error(`it said ${JSON.stringify(answer["stdout"])}`);
    },
    clean: end,
  },
  onSleeper("process.signal", "STOP", { signal: "STOP" }),
  onSleeper("process.signal", "CONT", { signal: "CONT" }, frozen),
  onSleeper("process.kill", "a process", {}, { final: true }),
  onSleeper("process.priority", "nice and I/O", { nice: 11, io_class: "idle" }),
  onSleeper("process.limits", "soft limits", {
    rlimits: [
      { resource: "fsize", soft: 4096, hard: null },
      { resource: "core", soft: 0, hard: null },
    ],
  }),
  onSleeper("process.info", "of a process", {}),
  onSleeper("process.open_files", "of a process", {}),
  onSleeper("process.trace", "a short one", { samples: 2, interval_ms: 50 }),
  { tool: "process.list", name: "all", prepare: () => ({}), observe: () => null, bad: () => [{ limit: 0 }, { sort: "size" }] },
  { tool: "process.tree", name: "all", prepare: () => ({}), observe: () => null, bad: () => [{ pid: 0 }, { pid: 4_194_304 }] },
];
