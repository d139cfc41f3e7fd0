/** The sandboxes that a caller may choose by name. None has a capability, root, or the system's data. */

import { type Sandbox, tools_uid } from "../../../exec/exec.ts";

export const sandbox_profiles = {
  /** No network, its own processes only. */
  closed: {},
  /** The system's network besides. */
  network: { network: true },
  /** No network, but it sees the processes of the system (their names and arguments, not their memory). */
  observer: { processes: true },
} as const satisfies Record<string, Sandbox>;
type SandboxProfile = keyof typeof sandbox_profiles;

/** Above all that anything else uses; below 2^31, which some programs take for negative. */
const observers_uid = 900_000_000;
const observers_max = 100_000_000;

/**
 * What sees the processes of others must not be of their user, or it could signal them: each start has a uid of its own.
 * @param call its id, which ends in the call's number
 */
export function uidOf(profile: SandboxProfile, call: string): number {
  if (profile !== "observer") return tools_uid;
  return observers_uid + (Number(call.slice(call.lastIndexOf("-") + 1)) % observers_max);
}
