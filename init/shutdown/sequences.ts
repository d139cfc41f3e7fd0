/** The ways down, and which may take the place of which while it is under way. */

import type { ShutdownAction } from "../../contracts/init.ts";
import type { RebootCommand } from "../../sys/process.ts";

/** What the system is doing as a whole. */
export type Sequence = "up" | ShutdownAction;

/**
 * All ways down take the same steps and differ in the last. A later request may only change that last step, and only
 * towards less: off is the strongest wish, because whoever pulls the plug next counts on it.
 */
export const may_replace: Readonly<Record<Sequence, readonly ShutdownAction[]>> = {
  up: ["kexec", "reboot", "poweroff"],
  kexec: ["reboot", "poweroff"],
  reboot: ["poweroff"],
  poweroff: [],
};

export const last_step: Readonly<Record<ShutdownAction, RebootCommand>> = {
  poweroff: "power-off",
  reboot: "restart",
  kexec: "kexec",
};
