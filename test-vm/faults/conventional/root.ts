/** The root of the conventional arm; cached by its definition. */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { baseTree, mkosi } from "../../../image/mkosi.ts";
import { cached, keyOf } from "../../../tooling/cache.ts";
import { step } from "../../../tooling/progress.ts";

const definition = join(import.meta.dir, "mkosi");
const machine_id = "0b7c2d9e4f1a4c3e9d5b6a7f8e1d2c3b";

/** @returns the folder of the root; only to be read */
export async function carefulRoot(): Promise<string> {
  const { tools } = await baseTree();
  const entry = await cached("conventional-faults", keyOf({ files: [definition], values: [machine_id] }), (folder) =>
    step("a Debian 13 root with what watches over it, to compare with (some minutes)", async (tell) => {
      await mkosi(definition, folder, ["--tools-tree", tools], tell);
      writeFileSync(join(folder, "careful/etc/machine-id"), `${machine_id}\n`);
    }),
  );
  const root = join(entry, "careful");
  if (!existsSync(root)) throw new Error(`making the conventional root failed: mkosi left no "${root}"`);
  return root;
}
