/** process.signal */

import { constants } from "node:os";
import { z } from "zod";
import type { Risk } from "../../../contracts/tool.ts";
import { isSysError } from "../../../sys/errors.ts";
import { isRunning, readStat } from "../../../sys/procfs.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { holdProcess, type Subject, subject_input } from "./shared/subject.ts";

const Signal = z.enum(["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "ALRM", "WINCH", "STOP", "CONT"]);
type Signal = z.infer<typeof Signal>;

/** Those that undo can answer with the other one. */
const stops: readonly Signal[] = ["STOP", "CONT"];

const stop_limit_ms = 2000;
const look_interval_ms = 2;

const Before = z.strictObject({ pid: z.number().int(), started_ticks: z.number(), stopped: z.boolean() });

export const processSignal = defineTool({
  name: "process.signal",
  title: "Send a signal to a process",
  description:
    "Sends one signal to one process. TERM asks it to end, HUP often means to read its configuration again, STOP freezes it and CONT lets it go on. What the others do is up to the program, and many end by default. Only STOP and CONT can be undone. To end a process for certain use process.kill; for services use service.stop and service.restart.",
  input: z.lazy(() => z.strictObject({ ...subject_input, signal: Signal.describe("which signal, without SIG (signal(7))") })),
  output: z.lazy(() =>
    z.strictObject({
      pid: z.number().int(),
      delivered: z.boolean().describe("false: it had ended before"),
      running: z.boolean().describe("whether it ran a moment after"),
    }),
  ),
  risk: "irreversible",
  timeout_ms: 15_000,
  idempotent: false,
  tainted: false,
  image: Before,
  resolve: (input, context): Promise<Subject> => holdProcess(input, "write", context),
  riskOf: ({ signal }, { facts }): Risk =>
    stops.includes(signal) ? "reversible" : facts.service === null ? "irreversible" : "compensable",
  preview: ({ facts }, { signal }) => ({
    changes: [`process ${facts.pid} (${facts.name}) gets SIG${signal}`],
    final: stops.includes(signal) ? [] : ["what the process does upon it"],
  }),
  snapshot: ({ pid, started_ticks }) => ({ pid, started_ticks, stopped: isStopped(pid) }),
  async run(target, { signal }) {
    const delivered = target.signal(constants.signals[`SIG${signal}`]);
    const end_ms = performance.now() + stop_limit_ms;
    const open = (): boolean => stops.includes(signal) && isStopped(target.pid) !== (signal === "STOP");
    while (delivered && open() && isRunning(target.pid, target.started_ticks) && performance.now() < end_ms)
      await Bun.sleep(look_interval_ms);
    return { pid: target.pid, delivered, running: isRunning(target.pid, target.started_ticks) };
  },
  verify({ pid, started_ticks }, { signal }) {
    if (!stops.includes(signal) || !isRunning(pid, started_ticks)) return;
    if (isStopped(pid) !== (signal === "STOP"))
      throw new ToolError(`verifying the signal failed: process ${pid} ${signal === "STOP" ? "still runs" : "is still stopped"}`);
  },
  async undo(image, { input }, context) {
    if (!isRunning(image.pid, image.started_ticks)) return; // nothing is left that could be brought back
    if (!stops.includes(input.signal))
      throw new ToolError(`taking back SIG${input.signal} failed: what a process did upon it cannot be undone`);
    if (isStopped(image.pid) === image.stopped) return;
    sendTo(image, image.stopped ? constants.signals.SIGSTOP : constants.signals.SIGCONT, context);
    const end_ms = performance.now() + stop_limit_ms;
    while (isStopped(image.pid) !== image.stopped && performance.now() < end_ms) await Bun.sleep(look_interval_ms);
  },
  verifyUndone(image) {
    if (isRunning(image.pid, image.started_ticks) && isStopped(image.pid) !== image.stopped)
      throw new ToolError(`verifying process ${image.pid} failed: it is ${image.stopped ? "not stopped" : "still stopped"}`);
  },
});

function isStopped(pid: number): boolean {
  return readStat(pid)?.state === "T";
}

function sendTo({ pid, started_ticks }: z.infer<typeof Before>, signal: number, { sys }: Context): void {
  let pidfd: number | null = null;
  try {
    pidfd = sys.process.openPid(pid);
    if (isRunning(pid, started_ticks)) sys.process.signal(pidfd, signal);
  } catch (error) {
    if (!isSysError(error, "ESRCH")) throw error;
  } finally {
    if (pidfd !== null) sys.descriptor.close(pidfd);
  }
}
