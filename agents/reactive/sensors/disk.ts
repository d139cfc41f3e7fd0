/** The data disk as PID 1 sees it, told when its use has changed by a hundredth. */

import type { Facts } from "../../../contracts/event.ts";
import type { SystemStatus } from "../../../contracts/init.ts";

const told_change = 0.01;

export class DiskSensor {
  #told_ratio: number | null = null;

  take({ mount, used_bytes, size_bytes }: SystemStatus["data"]): Facts<"disk.usage"> | null {
    if (size_bytes <= 0) return null;
    const used_ratio = Math.min(1, used_bytes / size_bytes);
    if (this.#told_ratio !== null && Math.abs(used_ratio - this.#told_ratio) < told_change) return null;
    this.#told_ratio = used_ratio;
    return { mount, used_ratio, free_bytes: Math.max(0, size_bytes - used_bytes), inodes_used_ratio: 0 };
  }
}
