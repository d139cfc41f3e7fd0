/** The data disk as PID 1 sees it, told when its use (of room or of inodes) has changed by a hundredth. */

import type { Facts } from "../../../contracts/event.ts";
import type { SystemStatus } from "../../../contracts/init.ts";

const told_change = 0.01;

export class DiskSensor {
  #told: { readonly used: number; readonly inodes: number } | null = null;

  take({ mount, used_bytes, size_bytes, inodes_used, inodes }: SystemStatus["data"]): Facts<"disk.usage"> | null {
    if (size_bytes <= 0) return null;
    const used_ratio = Math.min(1, used_bytes / size_bytes);
    const inodes_used_ratio = inodes > 0 ? Math.min(1, inodes_used / inodes) : 0;
    if (this.#told !== null && near(used_ratio, this.#told.used) && near(inodes_used_ratio, this.#told.inodes)) return null;
    this.#told = { used: used_ratio, inodes: inodes_used_ratio };
    return { mount, used_ratio, free_bytes: Math.max(0, size_bytes - used_bytes), inodes_used_ratio };
  }
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < told_change;
}
