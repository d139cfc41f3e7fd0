/**
 * Takes what a service writes to stdout and stderr, line by line. It is always read, so that the service never blocks;
 * what comes too fast is dropped and counted.
 */

import type { Severity } from "../../contracts/event.ts";
import { type Line, LineCutter } from "./lines.ts";
import { type Said, saidBy } from "./record.ts";

/** Lines a second that a service may write for long, and how many at once. */
const lines_per_s = 200;
const lines_burst = 1000;
/** A longer line counts as several. */
const line_chars = 2048;

export type Sink = (stream: "stdout" | "stderr", said: Said) => void;

/** A bucket of lines that fills with time. */
export class LineRate {
  #left = lines_burst;
  #at_ms: number;
  #dropped = 0;

  constructor(now_ms: number) {
    this.#at_ms = now_ms;
  }

  /** @returns how many were dropped before this one when it may pass, null when it is dropped too */
  take(now_ms: number, chars = 0): number | null {
    this.#left = Math.min(lines_burst, this.#left + ((now_ms - this.#at_ms) * lines_per_s) / 1000);
    this.#at_ms = now_ms;
    if (this.#left < 1) {
      this.#dropped += 1;
      return null;
    }
    this.#left -= Math.max(1, Math.ceil(chars / line_chars));
    return this.flush();
  }

  /** How many were dropped and not yet told. */
  flush(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

export interface Output {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
}

/** Reads both streams to their end. @returns a promise for when both have ended; it never rejects */
export async function capture(output: Output, now: () => number, sink: Sink): Promise<void> {
  const rate = new LineRate(now());
  await Promise.all([drain(output.stdout, "stdout", rate, now, sink), drain(output.stderr, "stderr", rate, now, sink)]);
  const dropped = rate.flush();
  if (dropped > 0) sink("stderr", dropText(dropped));
}

async function drain(from: ReadableStream<Uint8Array>, stream: "stdout" | "stderr", rate: LineRate, now: () => number, sink: Sink) {
  const cutter = new LineCutter();
  const pass = (line: Line): void => {
    if (line.text === "") return;
    const dropped = rate.take(now(), line.text.length);
    if (dropped === null) return;
    if (dropped > 0) sink(stream, dropText(dropped));
    sink(stream, saidBy(line, stream));
  };
  try {
    for await (const chunk of from) for (const line of cutter.push(chunk)) pass(line);
  } catch (error) {
    sink(stream, { level: "warning" satisfies Severity, message: `reading the output failed: ${String(error)}` });
  }
  const last = cutter.end();
  if (last !== null) pass(last);
}

function dropText(count: number): Said {
  return { level: "warning", message: `${count} lines were dropped: more than ${lines_per_s} a second; log less` };
}
