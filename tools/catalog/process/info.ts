/** process.info */

import { z } from "zod";
import { cgroupNumber } from "../../../sys/cgroup.ts";
import type { Context } from "../../context.ts";
import { answerText } from "../../exec/output.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { link, ProcessFacts, procText } from "./shared/facts.ts";
import { programOf, readProgram } from "./shared/programs.ts";
import { all_processes } from "./shared/resources.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const tail_json_chars_max = 24_000;

const Details = z.lazy(() =>
  z.strictObject({
    cwd: z.string().nullable(),
    root: z.string().nullable().describe("what it sees as /"),
    capabilities: z.string().describe("effective capabilities, hexadecimal (capabilities(7))"),
    no_new_privs: z.boolean(),
    seccomp: z.boolean().describe("a filter limits its system calls"),
    virtual_bytes: z.number(),
    swap_bytes: z.number(),
    voluntary_switches: z.number(),
    involuntary_switches: z.number(),
    io_read_bytes: z.number().nullable().describe("from disks; null where it is not counted"),
    io_written_bytes: z.number().nullable(),
    cgroup: z.string().nullable(),
    cgroup_memory_bytes: z.number().nullable().describe("of all in its cgroup"),
    cgroup_pids: z.number().nullable(),
  }),
);

const Program = z.lazy(() =>
  z.strictObject({
    handle: z.string(),
    argv: z.array(z.string()),
    running: z.boolean(),
    status: z.number().int().nullable().describe("exit status; null while it runs, after a signal, or when nobody saw it end"),
    signal: z.string().nullable(),
    since_ms: z.number().describe("when it was started, milliseconds since 1970"),
    stdout: z.string().describe("the newest of what it wrote"),
    stderr: z.string(),
    truncated: z.boolean().describe("it wrote more than is kept"),
  }),
);

interface Look extends Target {
  readonly subject: Subject | null;
}

export const processInfo = defineTool({
  name: "process.info",
  title: "About one process",
  description:
    "Everything about one process: owner, memory, processor time, working folder, capabilities, cgroup. With a handle of process.spawn also whether the program in the background still runs, how it ended, and the newest of its output. For open files use process.open_files, for use over time process.trace.",
  input: z.lazy(() => z.strictObject({ ...subject_input })),
  output: z.lazy(() =>
    z.strictObject({
      process: ProcessFacts.nullable().describe("null when the program in the background has ended"),
      details: Details.nullable(),
      program: Program.nullable().describe("of a program that process.spawn left in the background"),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true,
  image: null,
  async resolve(input, context): Promise<Look> {
    const gone: Look = { subject: null, resources: [{ ...all_processes, id: String(input.process) }] };
    const of_program = typeof input.process === "string";
    if (of_program && programOf(String(input.process), context)?.running !== true) return gone;
    try {
      const subject = await holdProcess(input, "read", context);
      return { subject, resources: subject.resources, close: () => subject.close() };
    } catch (error) {
      if (of_program && error instanceof ToolError) return gone; // it has ended between the two looks
      throw error;
    }
  },
  async run({ subject }, input, context) {
    const handle = typeof input.process === "string" ? input.process : (subject?.facts.call ?? null);
    const program = handle === null ? null : await aboutProgram(handle, context);
    if (subject === null && program === null)
      throw new ToolError(
        `looking for program ${JSON.stringify(input.process)} failed: nothing is known of this handle; it ended long ago, or never was`,
      );
    return { process: subject?.facts ?? null, details: subject === null ? null : detailsOf(subject.pid), program };
  },
});

async function aboutProgram(handle: string, context: Context): Promise<z.infer<typeof Program> | null> {
  const kept = readProgram(handle, context);
  if (kept === null) return null;
  const started = programOf(handle, context);
  const end = started === null || started.running ? null : await started.ended;
  const tail = started?.tail() ?? { stdout: new Uint8Array(), stderr: new Uint8Array(), dropped_bytes: 0 };
  const [stdout, stderr] = [tail.stdout, tail.stderr].map((bytes) => answerText(bytes, tail_json_chars_max, "last"));
  return {
    handle,
    argv: kept.argv,
    running: started?.running ?? false,
    status: end?.status ?? null,
    signal: end?.signal ?? null,
    since_ms: kept.since_ms,
    stdout: stdout?.text ?? "",
    stderr: stderr?.text ?? "",
    truncated: tail.dropped_bytes > 0 || stdout?.cut === true || stderr?.cut === true,
  };
}

function detailsOf(pid: number): z.infer<typeof Details> {
  const status = procText(pid, "status");
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
  const io = procText(pid, "io");
  const counted = (name: string): number | null => {
    const found = new RegExp(`^${name}: (\\d+)$`, "m").exec(io)?.[1];
    return found === undefined ? null : Number(found);
  };
  const kib = 1024;
  const path = /^0::(\S+)$/m.exec(procText(pid, "cgroup"))?.[1] ?? null;
  const cgroup = path === null || path === "/" ? null : `/sys/fs/cgroup${path}`;
  return {
    cwd: link(pid, "cwd"),
    root: link(pid, "root"),
    capabilities: field("CapEff"),
    no_new_privs: field("NoNewPrivs") === "1",
    seccomp: field("Seccomp") === "2",
    virtual_bytes: Number(field("VmSize")) * kib,
    swap_bytes: Number(field("VmSwap")) * kib,
    voluntary_switches: Number(field("voluntary_ctxt_switches")),
    involuntary_switches: Number(field("nonvoluntary_ctxt_switches")),
    io_read_bytes: counted("read_bytes"),
    io_written_bytes: counted("write_bytes"),
    cgroup: path,
    cgroup_memory_bytes: cgroup === null ? null : cgroupNumber(cgroup, "memory.current"),
    cgroup_pids: cgroup === null ? null : cgroupNumber(cgroup, "pids.current"),
  };
}
