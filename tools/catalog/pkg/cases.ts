/** Cases of the package tools (testing/case.ts): a local repository with two versions of one package, and the base as it is built. */

import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase, World } from "../../testing/case.ts";
import { configure, leftovers, lendBase, makeDeb, makeKey, repositoryConfig, type TestKey, writeRepository } from "./testing/repository.ts";

let known_key: TestKey | null = null;
const key = (): TestKey => {
  known_key ??= makeKey("cases");
  return known_key;
};

const hello = (version: string) => ({
  name: "aios-hello",
  version,
  files: { "usr/bin/aios-hello": `#!/bin/sh\necho ${version}\n`, "etc/aios-hello.conf": "polite = yes\n" },
  scripts: { postinst: "set -e\nmkdir -p /var/lib/aios-hello\ndate -u > /var/lib/aios-hello/configured" },
});

const repository = ({ places }: World): string => join(places.data, "srv/repository");
const single = (world: World): string => join(world.folder, "aios-hello_2.0_all.deb");

/** @param versions that the repository has */
function prepare(world: World, versions: readonly string[] = ["1.0", "2.0"]): void {
  lendBase(world.places);
  mkdirSync(repository(world), { recursive: true });
  const debs = versions.map((version) => makeDeb(world.folder, hello(version)));
  writeRepository(repository(world), debs, { key: key() });
  configure(world.places, { sources: repositoryConfig(repository(world), key()) });
}

/** Every file of the generations below the current one, and the current one: content, mode, owner, time. */
function observe({ places }: World): { readonly current: string; readonly chain: readonly unknown[][][]; readonly leftovers: unknown } {
  const file = join(places.data, "userland/current");
  const current = existsSync(file) ? readFileSync(file, "utf8") : "0\n"; // nothing and 0 are the same
  const chain: unknown[][][] = [];
  for (let number = Number(current); number > 0; ) {
    const folder = join(places.data, "userland/generations", String(number));
    chain.push(treeOf(folder));
    number = Number((JSON.parse(readFileSync(join(folder, "record.json"), "utf8")) as { parent: number }).parent);
  }
  return { current, chain, leftovers: leftovers(places) };
}

function treeOf(folder: string): unknown[][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, uid, gid, mtimeNs, nlink } = lstatSync(path, { bigint: true });
      const content = lstatSync(path).isFile()
        ? createHash("sha256").update(readFileSync(path)).digest("hex")
        : lstatSync(path).isSymbolicLink()
          ? readlinkSync(path)
          : "";
      return [name, mode, uid, gid, mtimeNs, nlink, content];
    });
}

/** What two runs have in common: which packages it changed, and the program. A number is never given to another generation. */
function effect({ places }: World): Record<string, unknown> {
  const current = Number(readFileSync(join(places.data, "userland/current"), "utf8"));
  if (current === 0) return { base: true, leftovers: leftovers(places) };
  const folder = join(places.data, "userland/generations", String(current));
  const { changes, parent } = JSON.parse(readFileSync(join(folder, "record.json"), "utf8")) as Record<string, unknown>;
  const program = join(folder, "layer/usr/bin/aios-hello");
  // where it was removed there is a whiteout, a device node
  const there = existsSync(program) && lstatSync(program).isFile();
  return { parent, changes, program: there ? readFileSync(program, "utf8") : null, leftovers: leftovers(places) };
}

/** A generation with hard links to it is still the same. */
function withoutLinks(seen: ReturnType<typeof observe>): unknown {
  return {
    ...seen,
    chain: seen.chain.map((tree) => tree.map(([name, mode, uid, gid, time, _links, content]) => [name, mode, uid, gid, time, content])),
  };
}

/** Three generations, of which the second changes what the first has brought, and the third takes it away. */
async function upon(world: World): Promise<void> {
  prepare(world, ["1.0"]);
  await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
  prepare(world);
  await world.call("pkg.update", {});
  await world.call("pkg.remove", { packages: ["aios-hello"] });
}

function generationsThere(places: World["places"]): string[] {
  return readdirSync(join(places.data, "userland/generations")).sort();
}

const common = { observe, effect };

function looking(tool: string, name: string, args: Record<string, unknown>, bad: readonly Record<string, unknown>[]): ToolCase {
  return {
    tool,
    name,
    observe,
    bad: () => bad,
    async prepare(world) {
      prepare(world);
      await world.call("pkg.install", { packages: [{ name: "aios-hello", version: "1.0" }] });
      return args;
    },
  };
}

export const pkg_cases: readonly ToolCase[] = [
  {
    ...common,
    tool: "pkg.install",
    name: "from a repository",
    prepare(world) {
      prepare(world);
      return { packages: [{ name: "aios-hello" }] };
    },
    bad: () => [
      {},
      { packages: [{ name: "no-such-package" }] },
      { packages: [{ name: "aios-hello", version: "3.0" }] },
      { packages: [{ name: "aios-hello-" }] },
      { packages: [{ name: "aios-hell." }] },
      { packages: [{ name: "aios-hell+" }] },
      { packages: [{ name: "--reinstall" }] },
      { packages: [{ name: "aios-hello", version: "1.0 -o x" }] },
      { packages: [{ name: "aios-hello" }, { name: "aios-hello" }] },
      { files: ["/no/such.deb"] },
      { files: ["/etc/passwd"] },
    ],
  },
  {
    ...common,
    tool: "pkg.install",
    name: "a single file, without any source",
    prepare(world) {
      prepare(world);
      configure(world.places, {});
      return { files: [single(world)] };
    },
    bad: (world) => [{ packages: [{ name: "aios-hello" }] }, { files: [single(world), single(world)] }],
  },
  {
    ...common,
    tool: "pkg.update",
    name: "all, of which one is newer",
    async prepare(world) {
      prepare(world, ["1.0"]);
      await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
      prepare(world);
      return {};
    },
    bad: () => [{ packages: ["no-such-package"] }, { packages: ["-y"] }],
  },
  {
    ...common,
    tool: "pkg.remove",
    name: "one that is installed",
    async prepare(world) {
      prepare(world);
      await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
      return { packages: ["aios-hello"] };
    },
    bad: () => [{ packages: ["no-such-package"] }, { packages: ["dpkg"] }, { packages: ["perl-base"], with_dependents: true }],
  },
  {
    ...common,
    tool: "pkg.remove",
    name: "as many upon each other as may be: they are made one first",
    observe: (world) => withoutLinks(observe(world)),
    effect: (world) => ({ ...effect(world), parent: "one that was made of those below" }),
    async prepare(world) {
      prepare(world, ["1.0"]);
      await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
      prepare(world);
      configure(world.places, { sources: repositoryConfig(repository(world), key()), generations_max: 2 });
      await world.call("pkg.update", {});
      return { packages: ["aios-hello"] };
    },
    check(answer, { places }) {
      const parents = [Number(answer["generation"]), 3, 2, 1].map((number) => {
        const file = join(places.data, "userland/generations", String(number), "record.json");
        return (JSON.parse(readFileSync(file, "utf8")) as { parent: number }).parent;
      });
      if (answer["before"] !== 2 || JSON.stringify(parents) !== "[3,0,1,0]") throw new Error(`they lie upon ${JSON.stringify(parents)}`);
    },
  },
  {
    ...common,
    tool: "pkg.rollback",
    name: "to the base",
    async prepare(world) {
      prepare(world);
      await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
      return { to: 0 };
    },
    bad: () => [{ to: 7 }, { to: -1 }],
  },
  {
    ...common,
    tool: "pkg.squash",
    name: "three upon each other, with a file that the last took away",
    observe: (world) => withoutLinks(observe(world)),
    async prepare(world) {
      await upon(world);
      return {};
    },
    bad: () => [{ number: 3 }],
  },
  {
    tool: "pkg.prune",
    name: "what a squash has left",
    observe: ({ places }) => ({ there: generationsThere(places), leftovers: leftovers(places) }),
    final: true,
    async prepare(world) {
      await upon(world);
      await world.call("pkg.squash", {});
      return { keep: 1, older_than_days: 0 };
    },
    bad: () => [{ keep: 0 }, { keep: 5, older_than_days: -1 }],
    check(answer) {
      if (JSON.stringify(answer["removed"]) !== "[1,2,3]") throw new Error(`it removed ${JSON.stringify(answer["removed"])}`);
    },
  },
  {
    ...common,
    tool: "pkg.rollback",
    name: "to the one before",
    async prepare(world) {
      prepare(world, ["1.0"]);
      await world.call("pkg.install", { packages: [{ name: "aios-hello" }] });
      return {};
    },
    bad: () => [{ service: "web" }],
  },
  looking("pkg.search", "by a word", { words: ["hello"] }, [{ words: ["-o"] }, { words: [] }]),
  looking("pkg.list", "all", {}, [{ limit: 100_000 }]),
  looking("pkg.info", "of one", { name: "aios-hello" }, [{ name: "no-such-package" }, { name: "--version" }]),
  looking("pkg.files", "of one", { name: "aios-hello" }, [{ name: "no-such-package" }, { name: "../../etc/passwd" }]),
  looking("pkg.history", "all", {}, [{ limit: 0 }]),
];
