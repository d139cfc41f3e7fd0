/** Cases of rules of retention. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../../wire/database.ts";
import type { ToolCase, World } from "../../../testing/case.ts";
import { folderOf, holds, nginx, observe, stored } from "./world.ts";

function rules(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return [];
  const db = openReadOnly(file);
  try {
    return db.prepare("SELECT filter, set_by FROM retention_rules WHERE ended_ms IS NULL ORDER BY id").all();
  } finally {
    db.close();
  }
}

export const forget_cases: readonly ToolCase[] = [
  {
    tool: "memory.retention",
    name: "the rules",
    prepare: (world) => stored(world, nginx).then(() => ({})),
    observe,
    bad: () => [{ tombstones: -1 }],
    check: holds(`"rules":[],"tombstones":[],"deleted":0`),
  },
  {
    tool: "memory.retain",
    name: "notes of a year ago",
    final: true,
    async prepare(world) {
      await stored(world, nginx);
      return { set: { older_than_days: 365, kinds: ["note"] } };
    },
    observe: rules,
    bad: () => [{}, { end: 4711 }, { set: { older_than_days: 0 } }, { set: { older_than_days: 1 }, end: 1 }],
    check: holds(`"filter":{"older_than_days":365,"kinds":["note"]}`),
  },
];
