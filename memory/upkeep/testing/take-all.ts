/** Something else that fills the disk. */

import { appendFileSync } from "node:fs";

/** Takes all that is free. */
export function takeAll(path: string): void {
  for (let bytes = 1024 * 1024; bytes >= 4096; ) {
    try {
      appendFileSync(path, Buffer.alloc(bytes, 1));
    } catch {
      bytes /= 4;
    }
  }
}
