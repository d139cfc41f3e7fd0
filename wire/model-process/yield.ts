/** What a process with a model gives up in favour of the service that it belongs to. */

import { writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** The kernel takes this process before any other of the service. */
const oom_score_adj = "900";

/** Whatever else the service does comes first where the processor is wanted, and outlives it when memory runs out. */
export function yieldToService(nice: number): void {
  const goLast = (): void => {
    // nobody may take a niceness back that he was given (setpriority(2): EACCES)
    if (getPriority() < nice) setPriority(nice);
  };
  for (const yields of [goLast, () => writeFileSync("/proc/self/oom_score_adj", oom_score_adj)]) {
    try {
      yields();
    } catch (error) {
      process.stderr.write(
        `model process: it runs as an equal of the service: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
}
