/** Everything that PID 1 asks of the kernel, by family. */

import type { PowerCalls, ProcessCalls } from "./process.ts";

export interface System {
  readonly process: ProcessCalls;
  readonly power: PowerCalls;
}
