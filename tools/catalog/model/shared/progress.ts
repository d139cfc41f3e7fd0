/** How far a long call is, for who follows it: a line now and then, which `aiosctl model` shows as a bar. */

import type { Context } from "../../../context.ts";

/** Milliseconds between two lines. */
const every_ms = 500;

/** `@progress fetching 1048576 98362432`: what, how many bytes, of how many. */
export function teller(what: string, total_bytes: number, { output, clock }: Pick<Context, "output" | "clock">): (bytes: number) => void {
  let told_ms = Number.NEGATIVE_INFINITY;
  return (bytes) => {
    const now_ms = clock.boot_ms();
    if (bytes < total_bytes && now_ms - told_ms < every_ms) return;
    told_ms = now_ms;
    output("stderr", `@progress ${what} ${bytes} ${total_bytes}\n`);
  };
}
