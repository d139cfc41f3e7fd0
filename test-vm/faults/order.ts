/** An order for a service under test (fixtures/patient.c), there at once and whole. */

import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function order(folder: string, what: string): void {
  const fresh = join(folder, "do.new");
  writeFileSync(fresh, `${what}\n`);
  chmodSync(fresh, 0o644);
  renameSync(fresh, join(folder, "do"));
}
