/** Cases of sec.integrity_baseline and sec.integrity_compare (testing/case.ts). */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../wire/database.ts";
import type { ToolCase, World } from "../../testing/case.ts";

function fill({ folder }: World): void {
  mkdirSync(join(folder, "tree/inner"), { recursive: true });
  writeFileSync(join(folder, "tree/inner/file"), "content");
  writeFileSync(join(folder, "tree/other"), "other");
  symlinkSync("inner/file", join(folder, "tree/link"));
}

function stored({ places }: World): Record<string, string> {
  const folder = join(places.broker, "integrity");
  if (!existsSync(folder)) return {};
  return Object.fromEntries(readdirSync(folder).map((name) => [name, Bun.zstdDecompressSync(readFileSync(join(folder, name))).toString()]));
}

/** What the broker knows of baselines. */
function known({ places }: World): { readonly key: string; readonly value: unknown }[] {
  const path = join(places.broker, "broker.db");
  if (!existsSync(path)) return [];
  const db = openReadOnly(path);
  try {
    const select = "SELECT key, value FROM tool_values WHERE family = 'sec' AND key LIKE 'baseline/%' ORDER BY key";
    const rows = db.prepare<[], { key: string; value: string }>(select).all();
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as unknown }));
  } finally {
    db.close();
  }
}

const observe = (world: World): unknown => ({ stored: stored(world), known: known(world) });
/** Without which call it was and when. */
const effect = (world: World): unknown => ({ stored: stored(world), known: known(world).map(({ key }) => key) });

const bad = ({ folder }: World) => [
  { name: "No Name", roots: [folder] },
  { name: "x", roots: [] as string[], configuration: false },
  { name: "x", roots: ["relative"] },
  { name: "x", roots: [join(folder, "nothing")] },
  { name: "x", roots: ["/proc"] },
  { name: "x", roots: [folder, folder] },
  { name: "x", roots: [join(folder, "tree")], bytes_max: 3 },
  { name: "x", roots: [join(folder, "../../data/broker")] },
];

export const integrity_cases: readonly ToolCase[] = [
  {
    tool: "sec.integrity_baseline",
    name: "a first one",
    prepare: (world) => {
      fill(world);
      return { name: "work", roots: [join(world.folder, "tree")] };
    },
    observe,
    effect,
    bad,
    check: ({ entries, hashed_bytes }) => {
      if (Number(entries) < 5 || hashed_bytes !== 12) throw new Error(`it took ${String(entries)} entries, ${String(hashed_bytes)} bytes`);
    },
  },
  {
    tool: "sec.integrity_baseline",
    name: "in place of another",
    prepare: async (world) => {
      fill(world);
      const args = { name: "work", roots: [join(world.folder, "tree")] };
      await world.call("sec.integrity_baseline", args);
      writeFileSync(join(world.folder, "tree/other"), "otherwise");
      return args;
    },
    observe,
    effect,
  },
  {
    tool: "sec.integrity_compare",
    name: "what came, went and is otherwise",
    prepare: async (world) => {
      fill(world);
      await world.call("sec.integrity_baseline", { name: "work", roots: [join(world.folder, "tree")] });
      chmodSync(join(world.folder, "tree/inner/file"), 0o600);
      writeFileSync(join(world.folder, "tree/new"), "");
      rmSync(join(world.folder, "tree/link"));
      return { name: "work" };
    },
    observe: () => null,
    bad: () => [{ name: "none" }, { name: "work", limit: 0 }, { name: "work", cursor: "x" }, { name: "work", cursor: "../" }],
    check: ({ differences }) => {
      const told = (differences as { what: string; path: string }[]).map(({ what, path }) => `${what} ${path.split("/tree").at(-1)}`);
      if (
        told.join() !== "changed ,changed /inner/file,removed /link,added /new" &&
        told.join() !== "changed /inner/file,removed /link,added /new"
      )
        throw new Error(`it told ${told.join()}`);
    },
  },
];
