/** The conventional Debian 13 root that the benchmarks compare with; cached by its definition. */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { baseTree, mkosi } from "../../image/mkosi.ts";
import { cached, keyOf } from "../../tooling/cache.ts";
import { step } from "../../tooling/progress.ts";

const definition = join(import.meta.dir, "mkosi");

const machine_id = "5d0e1c7a9b3f4e6d8a2c4b6d8f0a1c3e";

/** @returns the folder of the root; only to be read */
export async function conventionalRoot(): Promise<string> {
  const { tools } = await baseTree();
  const entry = await cached("conventional", keyOf({ files: [definition], values: [machine_id] }), (folder) =>
    step("a conventional Debian 13 root to compare with (about a minute)", async (tell) => {
      await mkosi(definition, folder, ["--tools-tree", tools], tell);
      // as after its first boot, which does more than later ones
      writeFileSync(join(folder, "conventional/etc/machine-id"), `${machine_id}\n`);
    }),
  );
  const root = join(entry, "conventional");
  if (!existsSync(root)) throw new Error(`making the conventional root failed: mkosi left no "${root}"`);
  return root;
}
