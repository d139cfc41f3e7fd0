/** Which room may import which: the trust borders of the system (docs/DESIGN.md). */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const root = join(import.meta.dir, "..");

/** A room may import itself and these. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  wire: ["contracts"],
  sys: ["contracts"],
  init: ["contracts", "wire", "sys"],
  tools: ["contracts", "wire", "sys"],
  memory: ["contracts", "wire"],
  agents: ["contracts", "wire"],
  console: ["contracts", "wire"],
  image: ["contracts", "models", "tooling", "wire"],
  models: ["contracts", "memory", "tooling", "wire"],
  "kernel-config": ["tooling"],
};

/** Not in the image: it starts the whole system and measures its parts, so it may import every room. */
const harness = "test-vm";

/** Programs that measure or test may use the tooling, and end-to-end tests may cross rooms. */
const is_measuring = (file: string): boolean => /(^|\/)(bench|fuzz)\.ts$|\.test\.tsx?$|\/testing\//.test(file);

/** What one room has for tests, another's tests may start: a tool asks the real memory. */
const is_testing = (file: string): boolean => file.includes("/testing/");

/** Rooms that do not run in the system read what other programs print, with schemas of their own. */
const build_rooms: readonly string[] = ["image", "kernel-config", "models"];

/** Each tool declares its own input, output and before-image (tools/tool.ts): nobody else imports them. */
const schemas_of_its_own = "tools";

/** Files of the running system that need zod itself, each with its reason. */
const zod_allowed: Readonly<Record<string, string>> = {
  "console/server/openapi.ts": "turns the schemas of contracts into JSON Schema",
  "init/boot/data-partition.ts": "reads what sfdisk prints, which nobody else sees; loaded on first boot only",
  "init/boot/lease.ts": "the file by which our DHCP hook tells PID 1: both ends are in init",
  "init/dhcp-hook.ts": "checks the environment that dhcpcd gives it",
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly type_only: boolean;
}

const transpiler = { ts: new Bun.Transpiler({ loader: "ts" }), tsx: new Bun.Transpiler({ loader: "tsx" }) };

/** Every import of a file; those of types too, which the transpiler drops. */
function importsOf(file: string, text: string): Import[] {
  const run_time = transpiler[file.endsWith("x") ? "tsx" : "ts"].scanImports(text).map((one) => one.path);
  const written = [...text.matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm)].map((match) => match[1] ?? "");
  const in_types = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
  return [...new Set([...run_time, ...written, ...in_types])].map((specifier) => ({
    file,
    specifier,
    type_only: !run_time.includes(specifier),
  }));
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? "";
}

/** @returns the rule that it breaks, or null */
function brokenRule({ file, specifier, type_only }: Import): string | null {
  const room = roomOf(file);
  if (room === harness) return null;
  const allowed = rooms[room];
  if (allowed === undefined) return null;
  if (specifier.startsWith(".")) {
    const path = normalize(join(dirname(file), specifier));
    const target = roomOf(path);
    if (target === room || allowed.includes(target)) return null;
    if (is_measuring(file) && (target === "tooling" || target === "main.ts")) return null;
    if (target === "package.json") return null;
    if (is_testing(file) && is_testing(path)) return null;
    return `"${file}" may not import "${specifier}": ${room} imports ${["itself", ...allowed].join(", ")} only`;
  }
  const name = specifier.split("/")[0] ?? "";
  const may_use_zod =
    room === "contracts" ||
    room === schemas_of_its_own ||
    type_only ||
    build_rooms.includes(room) ||
    Object.hasOwn(zod_allowed, file) ||
    is_measuring(file);
  if (name === "zod" && !may_use_zod) {
    return `"${file}" may not import zod: schemas belong to contracts`;
  }
  if (room === "contracts" && name !== "zod") return `"${file}" may not import "${specifier}": contracts imports zod only`;
  return null;
}

test("every room imports only what it may", () => {
  const broken: string[] = [];
  let imports = 0;
  for (const room of Object.keys(rooms)) {
    for (const file of new Bun.Glob(`${room}/**/*.{ts,tsx}`).scanSync({ cwd: root })) {
      for (const one of importsOf(file, readFileSync(join(root, file), "utf8"))) {
        imports += 1;
        const rule = brokenRule(one);
        if (rule !== null) broken.push(rule);
      }
    }
  }
  expect(broken).toEqual([]);
  expect(imports).toBeGreaterThan(100);
});

test("the rules catch what they are for", () => {
  const breaks = (file: string, text: string): boolean => importsOf(file, text).some((one) => brokenRule(one) !== null);
  expect(breaks("agents/reactive/x.ts", 'import { a } from "../../memory/main.ts"; a();')).toBe(true);
  expect(breaks("agents/reactive/x.ts", 'import type { A } from "../../init/main.ts";\nexport type B = A;')).toBe(true);
  expect(breaks("agents/reactive/x.ts", 'export * from "../../tools/main.ts";')).toBe(true);
  expect(breaks("agents/reactive/x.ts", 'const a = await import("../../sys/linux.ts"); a;')).toBe(true);
  expect(breaks("agents/reactive/x.ts", 'type A = import("../../sys/linux.ts").A;\nexport const a: A = 1;')).toBe(true);
  expect(breaks("memory/x.ts", 'import { z } from "zod"; z;')).toBe(true);
  expect(breaks("memory/x.ts", 'import type { z } from "zod";\nexport type A = z.ZodType;')).toBe(false);
  expect(breaks("contracts/x.ts", 'import { readFileSync } from "node:fs"; readFileSync;')).toBe(true);
  expect(breaks("tools/x.ts", 'import { a } from "../memory/keeper.ts"; a();')).toBe(true);
  expect(breaks("wire/x.ts", 'import { a } from "../sys/linux.ts"; a();')).toBe(true);
  expect(breaks("tools/testing/x.ts", 'import { a } from "../../memory/main.ts"; a();')).toBe(true);
  expect(breaks("tools/testing/x.ts", 'import { a } from "../../memory/testing/x.ts"; a();')).toBe(false);
  expect(breaks("init/x.ts", 'import { a } from "../sys/linux.ts"; a();')).toBe(false);
});
