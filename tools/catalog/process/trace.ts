/** process.trace */

import { readdirSync } from "node:fs";
import { z } from "zod";
import { readStat } from "../../../sys/procfs.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { procText, tick_ms } from "./shared/facts.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const page_bytes = 4096;
const duration_ms_max = 60_000;

const Sample = z.lazy(() =>
  z.strictObject({
    at_ms: z.number().describe("since the first sample"),
    cpu_percent: z.number().describe("of one processor, since the sample before; the first is 0"),
    rss_bytes: z.number(),
    threads: z.number().int(),
    fds: z.number().int(),
    read_bytes: z.number().nullable().describe("from disks since the sample before; null where it is not counted"),
    written_bytes: z.number().nullable(),
    switches: z.number().describe("context switches since the sample before"),
  }),
);
type Sample = z.infer<typeof Sample>;

export const processTrace = defineTool({
  name: "process.trace",
  title: "Resource use of a process over time",
  description:
    "Samples what one process uses (processor, memory, threads, descriptors, disk, context switches) for a while, at most a minute, and returns all samples. Use it to see whether something grows or spins. It does not see system calls or other processes; for one look use process.info.",
  input: z.lazy(() =>
    z.strictObject({
      ...subject_input,
      samples: z.number().int().min(2).max(120).default(5).describe("how many samples"),
      interval_ms: z
        .number()
        .int()
        .min(50)
        .max(10_000)
        .default(500)
        .describe("milliseconds between samples; samples × interval at most 60000"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      pid: z.number().int(),
      name: z.string(),
      samples: z.array(Sample),
      ended: z.boolean().describe("it ended while it was looked at"),
      cpu_percent_mean: z.number(),
      rss_bytes_growth: z.number().describe("last sample minus first"),
    }),
  ),
  risk: "observe",
  timeout_ms: duration_ms_max + 15_000,
  idempotent: true,
  tainted: false,
  concurrency_max: 8,
  image: null,
  resolve(input, context): Promise<Subject> {
    if (input.samples * input.interval_ms > duration_ms_max)
      throw new ToolError(
        `tracing for ${input.samples * input.interval_ms} ms failed: at most ${duration_ms_max} ms; ask for fewer samples`,
      );
    return holdProcess(input, "read", context);
  },
  async run({ pid, started_ticks, facts }, input, context) {
    const samples: Sample[] = [];
    let before: Counters | null = null;
    let first_ms = 0;
    for (let count = 0; count < input.samples && !context.signal.aborted; count += 1) {
      if (count > 0) await Bun.sleep(input.interval_ms);
      const now = countersOf(pid, started_ticks, context.clock.boot_ms());
      if (now === null) break;
      if (before === null) first_ms = now.at_ms;
      samples.push(sampleOf(now, before ?? now, first_ms));
      before = now;
    }
    const [first, last] = [samples[0], samples.at(-1)];
    const later = samples.slice(1);
    return {
      pid,
      name: facts.name,
      samples,
      ended: samples.length < input.samples && !context.signal.aborted,
      cpu_percent_mean: rounded(later.reduce((sum, sample) => sum + sample.cpu_percent, 0) / Math.max(1, later.length)),
      rss_bytes_growth: (last?.rss_bytes ?? 0) - (first?.rss_bytes ?? 0),
    };
  },
});

interface Counters {
  readonly at_ms: number;
  readonly cpu_ms: number;
  readonly rss_bytes: number;
  readonly threads: number;
  readonly fds: number;
  readonly read_bytes: number | null;
  readonly written_bytes: number | null;
  readonly switches: number;
}

/** @returns null when it has ended */
function countersOf(pid: number, started_ticks: number, at_ms: number): Counters | null {
  const stat = readStat(pid);
  if (stat === null || stat.started !== started_ticks || stat.state === "Z") return null;
  const number = (text: string, name: string): number | null => {
    const found = new RegExp(`^${name}:\\s*(\\d+)$`, "m").exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const [status, io] = [procText(pid, "status"), procText(pid, "io")];
  const switches = (number(status, "voluntary_ctxt_switches") ?? 0) + (number(status, "nonvoluntary_ctxt_switches") ?? 0);
  return {
    at_ms,
    cpu_ms: stat.ticks * tick_ms,
    rss_bytes: stat.rss_pages * page_bytes,
    threads: stat.threads,
    fds: openDescriptors(pid),
    read_bytes: number(io, "read_bytes"),
    written_bytes: number(io, "write_bytes"),
    switches,
  };
}

function sampleOf(now: Counters, before: Counters, first_ms: number): Sample {
  const since = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b);
  const gap_ms = now.at_ms - before.at_ms;
  return {
    at_ms: Math.round(now.at_ms - first_ms),
    cpu_percent: gap_ms === 0 ? 0 : rounded((100 * (now.cpu_ms - before.cpu_ms)) / gap_ms),
    rss_bytes: now.rss_bytes,
    threads: now.threads,
    fds: now.fds,
    read_bytes: since(now.read_bytes, before.read_bytes),
    written_bytes: since(now.written_bytes, before.written_bytes),
    switches: now.switches - before.switches,
  };
}

function openDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
