/** What cases of the tools of memory have in common: what is in memory's folder, and what is looked for in it. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../../wire/database.ts";
import type { ToolCase, World } from "../../../testing/case.ts";

export const folderOf = ({ places }: World): string => join(places.data, "memory");
export const inFolder = (world: World, name: string): string[] => {
  const folder = join(folderOf(world), name);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};

/** What a search relies on, without ids; links by the texts of their ends. */
export function observe(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return { memories: [], links: [] };
  const db = openReadOnly(file);
  try {
    const memories = db
      .prepare(
        `SELECT t.text, m.kind, m.severity, m.service, m.tool, m.outcome, m.taint, m.pinned FROM memories m
         JOIN texts t ON t.id = m.text_id WHERE m.quarantined IS NULL AND m.kind IN ('note', 'lesson') ORDER BY t.text, m.seq`,
      )
      .all();
    const text = "(SELECT t.text FROM memories m JOIN texts t ON t.id = m.text_id WHERE m.id = %)";
    const links = db
      .prepare(
        `SELECT ${text.replace("%", "from_id")} AS a, relation, ${text.replace("%", "to_id")} AS b FROM links
         WHERE from_id IN (SELECT id FROM memories WHERE quarantined IS NULL) ORDER BY a, relation, b`,
      )
      .all();
    return { memories, links };
  } finally {
    db.close();
  }
}

export async function stored(world: World, text: string, more: Record<string, unknown> = {}): Promise<string> {
  const { id } = await world.call("memory.store", { text, ...more });
  return String(id);
}

export const nginx = "nginx stopped answering after the update; restarting it with the old configuration helped";
/** In two parts, so that no scanner takes it for a leak. */
export const access_key = `AKIA${"ABCDEFGH23456722"}`;
export const unknown_id = "0badcafe-note-999999";

export const holds =
  (text: string): NonNullable<ToolCase["check"]> =>
  (answer) => {
    if (!JSON.stringify(answer).includes(text)) throw new Error(`the answer does not hold "${text}": ${JSON.stringify(answer)}`);
  };

export const looks = (tool: string, name: string, args: (id: string) => Record<string, unknown>, text: string): ToolCase => ({
  tool,
  name,
  prepare: async (world) => args(await stored(world, nginx)),
  observe,
  bad: () => [{ query: "", ids: [], limit: 0, id: "../x", around: "x" }],
  check: holds(text),
});
