/**
 * The kernel log: every record goes to the log hub, and those of weight become events. Only records of the kernel itself
 * count (facility 0): what a process writes to /dev/kmsg carries another facility, so nobody can fake an OOM kill.
 */

import { reasonOf } from "./files.ts";
import type { BootContext, KernelRecord, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const kmsg_path = "/dev/kmsg";
/** syslog(2): warning. */
const event_priority_max = 4;
const untrusted_chars_max = 4096;
/** Events a second that a talkative driver may make, and how many at once. The log hub still gets every line. */
const events_per_s = 10;
const events_burst = 50;
const reopen_wait_ms = 1000;

export const kernelLog: Phase = {
  name: "kernel log",
  what: "What the kernel says, as log lines and events, from its first line on",
  modes: "machine",
  limit_ms: 1000,
  run: async (boot) => {
    try {
      const first = kmsgReader(kmsg_path);
      void followKernelLog(boot, first);
      return done(`reading "${kmsg_path}"`);
    } catch (error) {
      return degraded(
        "kernel log",
        reasonOf(error),
        "use a kernel with CONFIG_PRINTK; without it, OOM kills and device errors stay unseen",
      );
    }
  },
};

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

function kmsgReader(path: string): Reader {
  return Bun.file(path).stream().getReader();
}

/** Reads for ever. When records were overwritten before they were read (EPIPE), it opens the log again. Never throws. */
async function followKernelLog(boot: Pick<BootContext, "emit" | "kernelLine" | "log">, first: Reader): Promise<never> {
  const take = kernelRecordTaker(boot, () => performance.now());
  let reader = first;
  for (;;) {
    const cutter = new RecordCutter();
    try {
      for (;;) {
        const { value, done: ended } = await reader.read();
        if (ended || value === undefined) break;
        for (const record of cutter.push(value)) take(record);
      }
    } catch (error) {
      boot.log("notice", `reading the kernel log stopped: ${reasonOf(error)}; opening it again`);
    }
    await Bun.sleep(reopen_wait_ms);
    try {
      reader = kmsgReader(kmsg_path);
    } catch {
      // tried again after the next wait
    }
  }
}

/** Cuts what one or more reads returned into records. Lines that begin with a space belong to the record before. */
export class RecordCutter {
  #rest = "";
  readonly #decoder = new TextDecoder();

  push(bytes: Uint8Array): KernelRecord[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, untrusted_chars_max * 2);
    return lines.flatMap((line) => parseRecord(line) ?? []);
  }
}

/** `priority,sequence,microseconds,flags;message` (Documentation/ABI/testing/dev-kmsg). @returns null for what is not the kernel's own */
export function parseRecord(line: string): KernelRecord | null {
  const parts = /^(\d{1,10}),(\d{1,16}),(\d{1,16}),[^;]*;(.*)$/s.exec(line);
  if (parts === null) return null;
  const prefix = Number(parts[1]);
  const from_kernel = prefix >> 3 === 0;
  if (!from_kernel) return null;
  return { priority: prefix & 7, sequence: Number(parts[2]), at_us: Number(parts[3]), message: unescaped(parts[4] ?? "") };
}

/** Bytes that are not printable arrive as \x0a. What they stand for is shown as a space: one record stays one line. */
function unescaped(message: string): string {
  return message.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => (hex === "5c" ? "\\" : " ")).slice(0, untrusted_chars_max);
}

const oom_kill =
  /^(?:Memory cgroup out of memory|Out of memory(?: \(oom_kill_allocating_task\))?): Killed process (\d{1,10}) \((.{0,64}?)\),? total-vm:/;

/** The pid and the name (which the process chose itself) in the line of an OOM kill (mm/oom_kill.c). */
export function parseOomKill(message: string): { readonly pid: number; readonly name: string } | null {
  const found = oom_kill.exec(message);
  return found === null ? null : { pid: Number(found[1]), name: found[2] ?? "" };
}

/** A function that takes records in order; one that it has seen before (after opening the log again) is dropped. */
export function kernelRecordTaker(
  boot: Pick<BootContext, "emit" | "kernelLine" | "log">,
  now_ms: () => number,
): (record: KernelRecord) => void {
  let last_sequence = -1;
  let left = events_burst;
  let filled_ms = now_ms();
  let unsaid = 0;
  return (record) => {
    if (record.sequence <= last_sequence) return;
    last_sequence = record.sequence;
    boot.kernelLine(record);
    const killed = parseOomKill(record.message);
    if (killed !== null) {
      boot.emit("kernel.oom-kill", "error", { pid: killed.pid, killed: killed.name }, record.message);
      return;
    }
    if (record.priority > event_priority_max) return;
    const now = now_ms();
    left = Math.min(events_burst, left + ((now - filled_ms) * events_per_s) / 1000);
    filled_ms = now;
    if (left < 1) {
      unsaid += 1;
      return;
    }
    left -= 1;
    if (unsaid > 0) boot.log("notice", `${unsaid} kernel lines came too fast to become events; they are in the log`);
    unsaid = 0;
    const { priority, sequence, at_us, message } = record;
    boot.emit("kernel.log", priority <= 3 ? "error" : "warning", { priority, sequence, at_us }, message);
  };
}
