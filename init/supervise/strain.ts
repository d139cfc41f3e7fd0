/** How much everybody waits for everybody. */

import { readFileSync } from "node:fs";

/**
 * The part of the last 10 s in which at least one task waited for a processor (PSI, Documentation/accounting/psi.rst), 0 to 1.
 * 0 on a kernel that does not tell.
 */
export function readStrain(file = "/proc/pressure/cpu"): number {
  try {
    const percent = /^some avg10=([0-9.]+)/m.exec(readFileSync(file, "latin1"))?.[1];
    return percent === undefined ? 0 : Math.min(1, Number(percent) / 100);
  } catch {
    return 0;
  }
}
