/** Well-kept programs that a phase runs to their end: blkid, sfdisk, e2fsck … An argument vector, never a shell. */

import { reasonOf } from "./files.ts";
import type { BootContext } from "./phase.ts";

export interface HelperResult {
  /** Exit status; -1 when it did not start, was killed, or took too long. */
  readonly status: number;
  readonly stdout: Buffer;
  /** The end of what it said on stderr, for messages. */
  readonly said: string;
}

interface HelperOptions {
  readonly limit_ms: number;
  /** For what may take hours and says how far it is: it is ended when it has written nothing for so long. */
  readonly silence_ms?: number;
  readonly stdin?: string;
  /** What is kept of stdout. */
  readonly bytes_max?: number;
  /** Takes a line of stdout; `true` for one that is not to be kept. */
  readonly isProgress?: (line: string) => boolean;
}

/** What is kept of one stream; a partition table or a list of devices is far smaller. */
const bytes_usually_max = 256 * 1024;
const said_chars_max = 400;
/** A process that waits for hardware ends only when that answers, and whoever it has started may hold its streams open. */
const end_grace_ms = 2_000;

/** Never throws: a helper that is not there is a status of -1 with the reason. Ends within two seconds of its limit, whatever the helper does. */
export async function runHelper(
  boot: Pick<BootContext, "ownChild">,
  argv: readonly string[],
  options: HelperOptions,
): Promise<HelperResult> {
  const { promise: left, resolve: leave } = Promise.withResolvers<null>();
  const timers = new Set<Timer>();
  const after = (ms: number, work: () => void): Timer => {
    const timer = setTimeout(work, ms);
    timers.add(timer);
    return timer;
  };
  try {
    const child = Bun.spawn([...argv], {
      stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: "/usr/bin:/usr/sbin:/bin:/sbin", LC_ALL: "C.UTF-8" },
      cwd: "/",
    });
    boot.ownChild(child.pid, child.exited);
    let ended = "";
    const end = (why: string): void => {
      ended ||= why;
      child.kill("SIGKILL");
      after(end_grace_ms, () => leave(null));
    };
    after(options.limit_ms, () => end(`after at most ${options.limit_ms} ms`));
    const { silence_ms = options.limit_ms } = options;
    const silence = after(silence_ms, () => end(`after it had said nothing for ${silence_ms} ms`));
    const out = kept(child.stdout, options, () => silence.refresh());
    const result = await Promise.race([Promise.all([out, kept(child.stderr, {}, () => {}), child.exited]), left]);
    if (result === null)
      return { status: -1, stdout: Buffer.alloc(0), said: `it was to be ended ${ended}, and does not end: it waits for hardware` };
    const [stdout, stderr, status] = result;
    const killed = child.signalCode === null ? "" : `it was ended by ${child.signalCode}${ended === "" ? "" : ` ${ended}`}`;
    return {
      status: child.signalCode === null ? status : -1,
      stdout,
      said: [stderr.toString().trim().slice(-said_chars_max), killed].filter(Boolean).join("; "),
    };
  } catch (error) {
    return { status: -1, stdout: Buffer.alloc(0), said: reasonOf(error) };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

async function kept(
  stream: ReadableStream<Uint8Array>,
  { bytes_max = bytes_usually_max, isProgress }: Pick<HelperOptions, "bytes_max" | "isProgress">,
  heard: () => void,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array): void => {
    if (length < bytes_max) parts.push(part);
    length += part.length;
  };
  let line = "";
  for await (const part of stream) {
    heard();
    if (isProgress === undefined) keep(part);
    else {
      const lines = (line + Buffer.from(part).toString()).split("\n");
      line = (lines.pop() ?? "").slice(-bytes_max);
      for (const whole of lines) if (!isProgress(whole)) keep(Buffer.from(`${whole}\n`));
    }
  }
  keep(Buffer.from(line));
  return Buffer.concat(parts).subarray(0, bytes_max);
}
