/** Time as memory sees it: the boot clock orders within one boot, the wall clock is for people and may step. */

import { shortBootId } from "../contracts/boot-id.ts";
import { openBootClock } from "../wire/boot-clock.ts";

export interface Clock {
  /** The first eight digits of the boot id, as ids carry them. */
  readonly boot: string;
  /** CLOCK_BOOTTIME, milliseconds. */
  boot_ms(): number;
  /** Milliseconds since 1970. */
  time_ms(): number;
}

export function clockOfBoot(boot_id: string): Clock {
  return { boot: shortBootId(boot_id), boot_ms: openBootClock(), time_ms: () => Date.now() };
}
