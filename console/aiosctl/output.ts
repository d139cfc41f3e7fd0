/** Writing to stdout, for people or for programs. */

import { writeSync } from "node:fs";
import { UnreachableError } from "./client.ts";
import type { Context } from "./context.ts";
import { exit } from "./exit.ts";

export function say(lines: string | readonly string[]): void {
  writeAll(`${typeof lines === "string" ? lines : lines.join("\n")}\n`);
}

const stdout_fd = 1;

/** All of it, before it returns: what is left in a buffer is lost when the process ends. A reader that left ends us. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(stdout_fd, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : null;
      if (code === "EPIPE") process.exit(exit.ok);
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}

/** One answer: as JSON when asked for, else as lines. */
export function show<T>(context: Context, value: T, lines: (value: T) => string | readonly string[]): void {
  say(context.json ? JSON.stringify(value, null, 2) : lines(value));
}

/** A stream, one line an item. A stream that was to stay open and did not: the console went away. */
export async function showStream<T>(
  context: Context,
  items: AsyncIterable<T>,
  follow: boolean,
  line: (item: T) => string,
): Promise<number> {
  for await (const item of items) say(context.json ? JSON.stringify(item) : line(item));
  if (follow && !context.signal.aborted)
    throw new UnreachableError("following the stream ended: the console closed it; ask again when it is back");
  return exit.ok;
}
