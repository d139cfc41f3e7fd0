/**
 * Opens memory and says whether it is in order, as JSON: `bun memory/upkeep/testing/checked.ts <folder> <ids, one a line>`. A
 * program of its own, so that it can run where the folder is mounted.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { openReadOnly } from "../../../wire/database.ts";
import { Keeper } from "../../keeper.ts";
import { memory_file } from "../../store/migrations.ts";
import { largeNote } from "../../testing/records.ts";
import { faultsIn } from "../backup/database.ts";

export const Checked = z.strictObject({
  degradation: z.string().nullable(),
  faults: z.array(z.string()),
  /** Ids that are not there as they were written. */
  missing: z.array(z.string()),
});

if (import.meta.main) {
  const [folder = "", list = ""] = process.argv.slice(2);
  const keeper = new Keeper(folder);
  const ids = readFileSync(list, "utf8").split("\n").slice(0, -1);
  const missing = ids.filter((id) => {
    const [found] = keeper.parts.longterm.recall([id]);
    const meant = largeNote(Number(id.split("-").at(-1)));
    return found === undefined || found.text !== meant.text || !isDeepStrictEqual(found.body, meant.body);
  });
  const faults = [...keeper.parts.longterm.check(), ...faultsIn(openReadOnly(join(folder, memory_file.file)))];
  process.stdout.write(JSON.stringify(Checked.parse({ degradation: keeper.degradation, faults, missing })));
  keeper.close();
}
