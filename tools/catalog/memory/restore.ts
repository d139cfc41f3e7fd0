/** memory.restore */

import { z } from "zod";
import { UpkeepName } from "../../../contracts/memory/upkeep.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { touches } from "./shared/memory.ts";

const long_ms = 3_600_000;

export const memoryRestore = defineTool({
  name: "memory.restore",
  title: "Restore memory",
  description:
    "Puts a backup of memory in the place of what is remembered now, after reading all of it. What was remembered since the backup is set aside in memory's folder, whole, but not searched any more: export it first if it is to be taken in again. For a memory that is damaged beyond what it mends itself; never for a wrong memory, which goes into quarantine.",
  input: z.lazy(() => z.strictObject({ name: UpkeepName.describe("of the backup") })),
  output: z.lazy(() => z.strictObject({ set_aside: z.string().describe("the folder, in memory's own, that has what was there") })),
  risk: "irreversible",
  timeout_ms: long_ms,
  concurrency_max: 1,
  idempotent: false,
  tainted: false,
  image: null,
  async resolve({ name }, context) {
    const { backups } = await asked(memoryOf(context, `restoring "${name}"`).call("backup.list", {}));
    if (!backups.some((backup) => backup.name === name))
      throw new ToolError(`restoring "${name}" failed: there is no such backup; list them with memory.backups`);
    return touches("*", "write");
  },
  preview: (_target, { name }) => ({
    changes: [`memory becomes what it was in the backup "${name}"`],
    final: ["what was remembered since then is set aside and not searched any more"],
  }),
  async run(_target, { name }, context) {
    const { set_aside } = await asked(memoryOf(context, `restoring "${name}"`).call("backup.restore", { name }, long_ms));
    return { set_aside };
  },
});
