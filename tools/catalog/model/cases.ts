/** Cases of the tools of models (testing/case.ts): tiny models that load for real, in the image or on a server of the world. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../wire/database.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { fetchedPath, modelsFolder } from "./shared/store.ts";
import { FileServer, sha256Of } from "./testing/server.ts";
import { catalogued, ship, tinyContent, writeCatalogue } from "./testing/world.ts";

const [shipped, other, broken, far, unknown, packaged] = [
  "shipped-f32",
  "other-f32",
  "broken-f32",
  "far-f32",
  "unknown-f32",
  "packaged-f32",
] as const;
const damaged = Buffer.from("this is no model");
/** Of this process, which has one world at a time. */
let server: FileServer | null = null;

function command(...argv: string[]): void {
  const { success, stderr } = Bun.spawnSync(argv, { stderr: "pipe" });
  if (!success) throw new Error(`"${argv.join(" ")}" failed: ${stderr.toString()}`);
}

/** Two models and a broken one in the image, one that a server has, two that nobody can fetch. */
async function prepare({ places }: World): Promise<void> {
  command("ip", "link", "set", "lo", "up");
  server = await FileServer.of(tinyContent(far));
  for (const name of [shipped, other]) ship(places, name, tinyContent(name));
  ship(places, broken, damaged);
  writeCatalogue(places, [
    ...[shipped, other].map((name) => catalogued(name, tinyContent(name), ["package:x"])),
    catalogued(broken, damaged, ["package:x"]),
    catalogued(far, tinyContent(far), [server.url]),
    catalogued(unknown, tinyContent(unknown), [server.url], { sha256: null }),
    catalogued(packaged, tinyContent(packaged), ["package:x"]),
  ]);
}

function valuesOf({ places }: World): unknown {
  const file = join(places.broker, "broker.db");
  if (!existsSync(file)) return [];
  const db = openReadOnly(file);
  try {
    const rows = db
      .prepare<[], { key: string; value: string }>("SELECT key, value FROM tool_values WHERE family = 'model' ORDER BY key")
      .all();
    // one that was never chosen and none that was chosen are the same
    return rows
      .filter(({ value }) => value !== JSON.stringify({ model: null, pinned: false }))
      .map(({ key, value }) => [key, JSON.parse(value)]);
  } finally {
    db.close();
  }
}

/** Files but what is not whole, what the tiers are told, and what is kept. */
function observe(world: World): unknown {
  const { places } = world;
  const below = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
  const content = (path: string): string => sha256Of(readFileSync(path));
  return {
    files: below(modelsFolder(places))
      .filter((name) => name.endsWith(".gguf"))
      .map((name) => [name, content(join(modelsFolder(places), name))]),
    told: below(join(places.run, "models")).map((name) => [name, readFileSync(join(places.run, "models", name), "utf8")]),
    values: valuesOf(world),
  };
}

const clean = (): void => server?.close();
const common = { observe, clean };
const no_such: readonly Record<string, unknown>[] = [{ name: "no-such-model" }, { name: "../x" }, {}];

export const model_cases: readonly ToolCase[] = [
  {
    ...common,
    tool: "model.list",
    name: "all",
    prepare: async (world) => {
      await prepare(world);
      return {};
    },
    bad: () => [{ role: "strategic" }],
    check(answer) {
      const text = JSON.stringify(answer);
      for (const name of [shipped, far, unknown])
        if (!text.includes(`"name":"${name}"`)) throw new Error(`"${name}" is not listed: ${text}`);
      if (!text.includes('"verified":false')) throw new Error(`that one has no hash is not said: ${text}`);
    },
  },
  {
    ...common,
    tool: "model.pull",
    name: "from an address",
    prepare: async (world) => {
      await prepare(world);
      return { name: far };
    },
    bad: () => [...no_such, { name: unknown }, { name: packaged }, { name: far, timeout_ms: 0 }],
    check({ sha256, source }) {
      if (sha256 !== sha256Of(tinyContent(far)) || source !== server?.url)
        throw new Error(`it is from "${source}" with the hash ${sha256}`);
    },
  },
  {
    ...common,
    tool: "model.pull",
    name: "one that is here",
    looks: true,
    prepare: async (world) => {
      await prepare(world);
      return { name: shipped };
    },
    check({ source }) {
      if (source !== null) throw new Error(`it was fetched from "${source}"`);
    },
  },
  {
    ...common,
    tool: "model.pull",
    name: "onto a disk without room",
    fails: "undone",
    prepare: async (world) => {
      await prepare(world);
      const folder = modelsFolder(world.places);
      mkdirSync(folder, { recursive: true });
      command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
      return { name: far };
    },
    clean({ places }) {
      clean();
      Bun.spawnSync(["umount", "-l", modelsFolder(places)]);
    },
  },
  {
    ...common,
    tool: "model.verify",
    name: "one that is whole",
    prepare: async (world) => {
      await prepare(world);
      return { name: shipped };
    },
    bad: () => [...no_such, { name: far }],
    check({ whole }) {
      if (whole !== true) throw new Error("it is said not to be whole");
    },
  },
  {
    ...common,
    tool: "model.use",
    name: "another than before",
    prepare: async (world) => {
      await prepare(world);
      await world.call("model.use", { tier: "operational", name: shipped });
      return { tier: "operational", name: other };
    },
    bad: () => [
      ...no_such.map((bad) => ({ tier: "operational", ...bad })),
      { tier: "operational", name: far },
      { tier: "strategic", name: shipped },
    ],
    check({ before, loaded }) {
      if (before !== shipped || loaded !== true) throw new Error(`before it was "${before}"; loaded: ${loaded}`);
    },
  },
  {
    ...common,
    tool: "model.use",
    name: "one that does not load",
    fails: "undone",
    prepare: async (world) => {
      await prepare(world);
      await world.call("model.use", { tier: "tactical", name: shipped });
      return { tier: "tactical", name: broken };
    },
  },
  {
    ...common,
    tool: "model.use",
    name: "none any more",
    prepare: async (world) => {
      await prepare(world);
      await world.call("model.use", { tier: "tactical", name: shipped });
      return { tier: "tactical", name: null };
    },
  },
  {
    ...common,
    tool: "model.bench",
    name: "one of the image",
    // what was measured differs from time to time
    effect: (world) => JSON.stringify(observe(world)).replace(/"(prompt_tokens_s|tokens_s|load_ms|measured_ms)":[\d.e+-]+/g, '"$1":0'),
    prepare: async (world) => {
      await prepare(world);
      return { name: shipped, threads: 1 };
    },
    bad: () => [...no_such, { name: far }, { name: broken }, { name: shipped, threads: 0 }],
  },
  {
    ...common,
    tool: "model.remove",
    name: "one that was fetched",
    final: true,
    prepare: async (world) => {
      await prepare(world);
      await world.call("model.pull", { name: far });
      return { name: far };
    },
    bad: () => [...no_such, { name: shipped }, { name: unknown }],
    check(_answer, { places }) {
      if (existsSync(fetchedPath(places, far))) throw new Error("its file is still there");
    },
  },
];
