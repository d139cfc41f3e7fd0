/** The sandboxes that a caller may choose by name. None has a capability, root, or the system's data. */

import type { Sandbox } from "../../../exec/exec.ts";

export const sandbox_profiles = {
  /** No network, its own processes only. */
  closed: {},
  /** The system's network besides. */
  network: { network: true },
  /** No network, but it sees the processes of the system (their names and arguments, not their memory). */
  observer: { processes: true },
} as const satisfies Record<string, Sandbox>;
export type SandboxProfile = keyof typeof sandbox_profiles;
