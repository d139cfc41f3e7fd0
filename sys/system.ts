/** Everything that PID 1 asks of the kernel, by family. */

import type { ClockCalls } from "./clock.ts";
import type { MountCalls } from "./mount.ts";
import type { PowerCalls } from "./power.ts";
import type { ProcessCalls } from "./process.ts";

export interface System {
  readonly process: ProcessCalls;
  readonly power: PowerCalls;
  readonly mount: MountCalls;
  readonly clock: ClockCalls;
}
