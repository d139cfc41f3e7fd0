/** process.kill */

import { constants } from "node:os";
import { z } from "zod";
import { isRunning } from "../../../sys/procfs.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

/** Milliseconds until a process that does not go sits in the kernel. */
const end_limit_ms = 5000;
const look_interval_ms = 5;

export const processKill = defineTool({
  name: "process.kill",
  title: "Kill a process",
  description:
    "Ends one process at once (SIGKILL); it can save nothing. With a handle of process.spawn everything that the program started ends with it. To ask a process to end by itself use process.signal with TERM; to restart a service use service.restart, since PID 1 starts a killed service again. What the process had in memory is lost.",
  input: z.lazy(() => z.strictObject({ ...subject_input })),
  output: z.lazy(() => z.strictObject({ pid: z.number().int(), name: z.string(), service: z.string().nullable(), took_ms: z.number() })),
  risk: "irreversible",
  timeout_ms: 30_000,
  idempotent: false,
  tainted: false,
  image: null,
  resolve: (input, context): Promise<Subject> => holdProcess(input, "delete", context),
  riskOf: (_input, target) => (target.facts.service === null ? "irreversible" : "compensable"), // PID 1 starts it again
  preview: ({ facts, program }) => ({
    changes: [
      `process ${facts.pid} (${facts.name}${facts.service === null ? "" : `, service ${facts.service}`}) is killed${program === null ? "" : ", and all that it started"}`,
    ],
    final: ["what it has in memory and has not written is lost"],
  }),
  async run({ facts, program, pid, started_ticks, kernel, ...target }, _input, context) {
    if (pid === 1 || kernel) throw new ToolError(`killing process ${pid} failed: the kernel kills neither PID 1 nor its own threads`);
    const begin_ms = context.clock.boot_ms();
    if (program !== null) program.end();
    else if (!target.signal(constants.signals.SIGKILL)) throw new ToolError(`killing process ${pid} failed: it has ended by itself`);
    const limit_ms = begin_ms + end_limit_ms;
    while (isRunning(pid, started_ticks)) {
      if (context.clock.boot_ms() > limit_ms)
        throw new Error(`killing process ${pid} (${facts.name}) failed: it still runs after ${end_limit_ms} ms: it waits for a device`);
      await Bun.sleep(look_interval_ms);
    }
    return { pid, name: facts.name, service: facts.service, took_ms: context.clock.boot_ms() - begin_ms };
  },
  verify({ pid, started_ticks }) {
    if (isRunning(pid, started_ticks)) throw new ToolError(`verifying that process ${pid} has ended failed: it still runs`);
  },
});
