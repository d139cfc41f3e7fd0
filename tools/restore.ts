/** What tools have set and the kernel forgets at power-off (a host name, sysctls, routes): made again at the broker's start. */

import { bounded } from "./call/bounded.ts";
import type { Context } from "./context.ts";

export interface Restorer {
  /** For people: "host name and sysctls". */
  readonly name: string;
  /** Whose values it sees in `context.state`. */
  readonly family: string;
  /** Sets what is declared and not so; what is so already stays untouched. @throws with what could not be set */
  restore(context: Context): Promise<void> | void;
}

const limit_ms = 60_000;

/** @returns what could not be restored, for the health of the broker */
export async function restoreAll(
  restorers: readonly Restorer[],
  contextOf: (restorer: Restorer, signal: AbortSignal) => Context,
): Promise<string[]> {
  const failures: string[] = [];
  for (const restorer of restorers) {
    try {
      await bounded(`restoring ${restorer.name}`, limit_ms, null, (signal) => restorer.restore(contextOf(restorer, signal)));
    } catch (error) {
      failures.push(`${restorer.name} of the last boot: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures;
}
