/** Looks through memory on a disk of its own after the service has gone. */

import { join } from "node:path";
import type { SmallDisk } from "../../testing/small-disk.ts";
import { Checked } from "./checked.ts";

/** @param ledger the file of ids that were acknowledged */
export async function checkedOn(disk: SmallDisk, ledger: string): Promise<ReturnType<typeof Checked.parse>> {
  const program = join(import.meta.dir, "checked.ts");
  const child = Bun.spawn([...disk.wrap, process.execPath, program, join(disk.folder, "memory"), ledger], { stdout: "pipe" });
  return Checked.parse(await new Response(child.stdout).json());
}
