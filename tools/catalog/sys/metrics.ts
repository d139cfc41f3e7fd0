import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { allStats } from "../../../sys/procfs.ts";
import type { Context } from "../../context.ts";
import { defineTool } from "../../tool.ts";

const Share = z.number().min(0).max(1);
const Pressure = z.lazy(() => z.strictObject({ some: z.number(), full: z.number() }));

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
};

/** Busy and all ticks of all processors (proc(5), /proc/stat). */
function processorTicks(): { readonly busy: number; readonly all: number } {
  const fields = (/^cpu +(.*)$/m.exec(read("/proc/stat") ?? "")?.[1] ?? "").split(" ").map(Number);
  const all = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) };
}

/** PSI, avg10 in percent (Documentation/accounting/psi.rst); null where the kernel has none. */
function pressure(of: string): z.infer<typeof Pressure> | null {
  const text = read(`/proc/pressure/${of}`);
  if (text === null) return null;
  const average = (line: string): number => Number(new RegExp(`^${line} avg10=([0-9.]+)`, "m").exec(text)?.[1] ?? 0);
  return { some: average("some"), full: average("full") };
}

function memory() {
  const text = read("/proc/meminfo") ?? "";
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return {
    total_bytes: bytes("MemTotal"),
    available_bytes: bytes("MemAvailable"),
    swap_total_bytes: bytes("SwapTotal"),
    swap_free_bytes: bytes("SwapFree"),
    dirty_bytes: bytes("Dirty"),
  };
}

/** /proc/net/dev: after the name, 8 fields of what came in and 8 of what went out. */
function networkDevices() {
  return (read("/proc/net/dev") ?? "").split("\n").flatMap((line) => {
    const [name, rest] = line.split(":");
    const fields = (rest ?? "").trim().split(/\s+/).map(Number);
    if (name === undefined || fields.length < 16) return [];
    const [received_bytes = 0, , received_errors = 0, received_dropped = 0, , , , , sent_bytes = 0, , sent_errors = 0, sent_dropped = 0] =
      fields;
    return [{ name: name.trim(), received_bytes, received_errors, received_dropped, sent_bytes, sent_errors, sent_dropped }];
  });
}

function fileSystems({ sys, places }: Context) {
  return [...new Set(["/", places.data])].flatMap((path) => {
    try {
      const { size_bytes, available_bytes, inodes, inodes_free, read_only } = sys.mount.use(path);
      return [{ path, size_bytes, available_bytes, inodes, inodes_free, read_only }];
    } catch {
      return [];
    }
  });
}

/** Processes by what they used between two looks. */
function busiest(before: ReadonlyMap<number, number>, ticks: number, top: number) {
  return allStats()
    .map(({ pid, name, ticks: now, rss_pages }) => ({
      pid,
      name,
      cpu_share: Math.min(1, Math.max(0, (now - (before.get(pid) ?? now)) / Math.max(1, ticks))),
      rss_bytes: rss_pages * 4096,
    }))
    .sort((a, b) => b.cpu_share - a.cpu_share || b.rss_bytes - a.rss_bytes)
    .slice(0, top);
}

export const metrics = defineTool({
  name: "sys.metrics",
  title: "System metrics",
  description:
    "How busy the system is now: load, processor use over `sample_ms`, memory and swap, pressure (PSI, percent of the last 10 s in which something waited), file systems, network counters since boot, and the busiest processes. For one process use process.info; for a process over time use process.trace.",
  input: z.lazy(() =>
    z.strictObject({
      sample_ms: z.number().int().min(50).max(5000).default(200).describe("milliseconds over which processor use is measured"),
      top: z.number().int().min(0).max(50).default(5).describe("how many of the busiest processes are named"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      load: z.array(z.number()).length(3),
      processor_share: Share,
      memory: z.strictObject({
        total_bytes: z.number(),
        available_bytes: z.number(),
        swap_total_bytes: z.number(),
        swap_free_bytes: z.number(),
        dirty_bytes: z.number(),
      }),
      pressure: z.strictObject({ cpu: Pressure.nullable(), memory: Pressure.nullable(), io: Pressure.nullable() }),
      file_systems: z.array(
        z.strictObject({
          path: z.string(),
          size_bytes: z.number(),
          available_bytes: z.number(),
          inodes: z.number(),
          inodes_free: z.number(),
          read_only: z.boolean(),
        }),
      ),
      network: z.array(
        z.strictObject({
          name: z.string(),
          received_bytes: z.number(),
          received_errors: z.number(),
          received_dropped: z.number(),
          sent_bytes: z.number(),
          sent_errors: z.number(),
          sent_dropped: z.number(),
        }),
      ),
      busiest: z.array(z.strictObject({ pid: z.number().int(), name: z.string(), cpu_share: Share, rss_bytes: z.number() })),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true, // processes choose their own names
  image: null,
  resolve: () => ({ resources: [{ kind: "system", id: "metrics", access: "read", attributes: {} }] satisfies Resource[] }),
  run: async (_, { sample_ms, top }, context) => {
    const before = processorTicks();
    const used = new Map(top === 0 ? [] : allStats().map(({ pid, ticks }) => [pid, ticks]));
    await Bun.sleep(sample_ms);
    const after = processorTicks();
    const ticks = after.all - before.all;
    return {
      load: (read("/proc/loadavg") ?? "0 0 0").split(" ").slice(0, 3).map(Number),
      processor_share: ticks <= 0 ? 0 : Math.min(1, Math.max(0, (after.busy - before.busy) / ticks)),
      memory: memory(),
      pressure: { cpu: pressure("cpu"), memory: pressure("memory"), io: pressure("io") },
      file_systems: fileSystems(context),
      network: networkDevices(),
      busiest: top === 0 ? [] : busiest(used, ticks, top),
    };
  },
});
