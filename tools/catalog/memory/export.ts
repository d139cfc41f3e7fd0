/** memory.export */

import { z } from "zod";
import { Exported, UpkeepName, upkeep_methods } from "../../../contracts/memory/upkeep.ts";
import { defineTool } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

export const memoryExport = defineTool({
  name: "memory.export",
  title: "Export memories",
  description:
    "Writes memories as JSON lines (zstd) into exports/ of memory's folder, oldest first, with a checksum; memory.import of another system takes them in. The file is there until fs.remove takes it. A copy of all of memory to go back to is memory.backup.",
  input: z.lazy(() =>
    z.strictObject({
      name: UpkeepName.describe("of the file, without its ending"),
      filter: upkeep_methods.export.params.shape.filter.default({}).describe("which; all of them when it is empty"),
    }),
  ),
  output: Exported,
  risk: "compensable",
  timeout_ms: 3_600_000,
  concurrency_max: 1,
  idempotent: false,
  tainted: false,
  image: null,
  resolve: readsAll,
  preview: (_target, { name }) => ({ changes: [`memories are written to the file "${name}"`], final: [] }),
  run: async (_target, { name, filter }, context) =>
    (await asked(memoryOf(context, "exporting memories").call("export", { name, filter }, long_ms))).exported,
});

const long_ms = 3_600_000;
