/** Writing to stdout, for people or for programs. */

import { UnreachableError } from "./client.ts";
import type { Context } from "./context.ts";
import { exit } from "./exit.ts";

export function say(lines: string | readonly string[]): void {
  process.stdout.write(`${typeof lines === "string" ? lines : lines.join("\n")}\n`);
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
