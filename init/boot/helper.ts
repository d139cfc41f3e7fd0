/** Well-kept programs that a phase runs to their end: blkid, sfdisk, e2fsck … An argument vector, never a shell. */

import { reasonOf } from "./files.ts";
import type { BootContext } from "./phase.ts";

export interface HelperResult {
  /** Exit status; -1 when it did not start, was killed, or took too long. */
  readonly status: number;
  readonly stdout: string;
  /** The end of what it said on stderr, for messages. */
  readonly said: string;
}

interface HelperOptions {
  readonly limit_ms: number;
  readonly stdin?: string;
}

/** What is kept of one stream; a partition table or a list of devices is far smaller. */
const output_bytes_max = 256 * 1024;
const said_chars_max = 400;

/** Never throws: a helper that is not there is a status of -1 with the reason. */
export async function runHelper(
  boot: Pick<BootContext, "ownChild">,
  argv: readonly string[],
  options: HelperOptions,
): Promise<HelperResult> {
  try {
    const child = Bun.spawn([...argv], {
      stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: "/usr/bin:/usr/sbin:/bin:/sbin", LC_ALL: "C.UTF-8" },
      cwd: "/",
      timeout: options.limit_ms,
      killSignal: "SIGKILL",
    });
    boot.ownChild(child.pid, child.exited);
    const [stdout, stderr, status] = await Promise.all([capped(child.stdout), capped(child.stderr), child.exited]);
    const killed = child.signalCode === null ? "" : `it was ended by ${child.signalCode} after at most ${options.limit_ms} ms`;
    return {
      status: child.signalCode === null ? status : -1,
      stdout,
      said: [stderr.trim().slice(-said_chars_max), killed].filter(Boolean).join("; "),
    };
  } catch (error) {
    return { status: -1, stdout: "", said: reasonOf(error) };
  }
}

async function capped(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    if (length < output_bytes_max) parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts).toString("utf8", 0, output_bytes_max);
}
