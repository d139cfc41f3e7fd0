/** Cases of what memory is kept and carried by: exports, backups. */

import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../../testing/case.ts";
import { folderOf, inFolder, nginx, observe, stored } from "./world.ts";

const export_name = "everything";
const export_file = `${export_name}.jsonl.zst`;

/** A file to take in, of memories that were then put in quarantine: this memory knows them by id. */
async function exported(world: World): Promise<void> {
  await stored(world, nginx);
  await world.call("memory.export", { name: export_name });
}

export const keep_cases: readonly ToolCase[] = [
  {
    tool: "memory.export",
    name: "everything",
    async prepare(world) {
      await stored(world, nginx);
      return { name: export_name };
    },
    observe: (world) => inFolder(world, "exports"),
    bad: () => [{ name: "../x" }, { name: "" }],
  },
  {
    tool: "memory.import",
    name: "what was exported",
    async prepare(world) {
      await exported(world);
      mkdirSync(join(folderOf(world), "imports"), { recursive: true });
      renameSync(join(folderOf(world), "exports", export_file), join(folderOf(world), "imports", export_file));
      return { name: export_file };
    },
    observe,
    bad: () => [{ name: "none.jsonl" }, { name: "../../etc/passwd" }],
    check({ read, written }) {
      if (read !== 1 || written !== 0) throw new Error(`read ${String(read)}, written ${String(written)}: it knows the one already`);
    },
  },
  {
    tool: "memory.backup",
    name: "while it runs",
    async prepare(world) {
      await stored(world, nginx);
      return { name: "before" };
    },
    observe: (world) => inFolder(world, "backups"),
    bad: () => [{ name: "../x" }, { name: "UPPER" }],
  },
  {
    tool: "memory.backups",
    name: "one that is whole",
    async prepare(world) {
      await stored(world, nginx);
      await world.call("memory.backup", { name: "before" });
      return { verify: "before" };
    },
    observe,
    bad: () => [{ verify: "none" }, { verify: "../x" }],
    check({ faults }) {
      if (!Array.isArray(faults) || faults.length > 0) throw new Error(`it is not whole: ${JSON.stringify(faults)}`);
    },
  },
  {
    tool: "memory.restore",
    name: "what was before",
    final: true,
    async prepare(world) {
      await stored(world, nginx);
      await world.call("memory.backup", { name: "before" });
      await stored(world, "afterwards");
      return { name: "before" };
    },
    observe,
    bad: () => [{ name: "none" }, { name: "../before" }],
  },
];
