/** memory.backups */

import { z } from "zod";
import { BackupsAnswer, UpkeepName } from "../../../contracts/memory/upkeep.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { readsAll } from "./shared/memory.ts";

const long_ms = 3_600_000;

export const memoryBackups = defineTool({
  name: "memory.backups",
  title: "Backups of memory",
  description:
    "Lists the backups of memory with what they hold. With `verify` all of one is read: hashes, the database's own check, rows. Do that before relying on it.",
  input: z.lazy(() =>
    z.strictObject({ verify: UpkeepName.nullable().default(null).describe("the backup to read through; null: only list") }),
  ),
  output: BackupsAnswer,
  risk: "observe",
  timeout_ms: long_ms,
  concurrency_max: 2,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: readsAll,
  async run(_target, { verify }, context) {
    const memory = memoryOf(context, "looking at backups");
    const held = await asked(memory.call("backup.list", {}));
    if (verify === null) return { ...held, faults: null };
    if (!held.backups.some(({ name }) => name === verify) && !held.unreadable.some((one) => one.includes(verify)))
      throw new ToolError(`reading the backup "${verify}" failed: there is none of this name`);
    const { faults } = await asked(memory.call("backup.verify", { name: verify }, long_ms));
    return { ...held, faults };
  },
});
