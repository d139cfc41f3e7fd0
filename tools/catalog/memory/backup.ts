/** memory.backup */

import { z } from "zod";
import { Backup, UpkeepName } from "../../../contracts/memory/upkeep.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

const long_ms = 3_600_000;

export const memoryBackup = defineTool({
  name: "memory.backup",
  title: "Back up memory",
  description:
    "Makes a copy of all of memory as it is at this moment, while it runs, in backups/ of memory's folder, and reads it back before it answers. To have it on another disk copy it there with fs.copy; to go back to it use memory.restore. It is there until fs.remove takes it.",
  input: z.lazy(() => z.strictObject({ name: UpkeepName.describe("of the backup; refused when there is one") })),
  output: Backup,
  risk: "compensable",
  timeout_ms: long_ms,
  concurrency_max: 1,
  idempotent: false,
  tainted: false,
  image: null,
  resolve: readsAll,
  preview: (_target, { name }) => ({ changes: [`all of memory is copied to the backup "${name}"`], final: [] }),
  run: async (_target, { name }, context) =>
    (await asked(memoryOf(context, "backing up memory").call("backup.make", { name }, long_ms))).backup,
  async verify(_target, { name }, _output, context) {
    const { backups } = await asked(memoryOf(context, "looking at backups").call("backup.list", {}));
    if (!backups.some((backup) => backup.name === name)) throw new ToolError(`verifying failed: there is no backup "${name}"`);
  },
});
