/** Whatever goes wrong with packages leaves the generation that was current, whole. Needs root, and the base as it is built. */

import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { built_userland } from "../../../tools/testing/open.ts";

const namespaces = ["unshare", "--mount", "--net", "--uts", "--ipc", "--propagation", "private", "--"];
const Line = z.strictObject({ name: z.string(), problem: z.string().nullable() });
const names = [
  "a repository that somebody else has signed",
  "a repository that nobody has signed",
  "a Release file whose time is over",
  "an index that is not the signed one",
  "a package that is not the one of the index",
  "a script that fails",
  "a script that never ends",
  "a dependency that is in no source",
  "a source that an earlier package has smuggled in, with permission to take what is unsigned",
  "a full disk",
  "a script that tries to get out",
];

let found: ReadonlyMap<string, string | null> = new Map();
const can = process.getuid?.() === 0 && existsSync(built_userland.file);

beforeAll(async () => {
  if (!can) return;
  const script = join(import.meta.dir, "../../../tools/catalog/pkg/testing/failures.ts");
  const child = Bun.spawn([...namespaces, process.execPath, script], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [status, out, said] = await Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(status, said).toBe(0);
  const lines = out.split("\n").filter((text) => text !== "");
  found = new Map(lines.map((text) => Line.parse(JSON.parse(text))).map(({ name, problem }) => [name, problem]));
}, 300_000);

for (const name of names)
  test.skipIf(!can)(name, () => {
    expect(found.get(name)).toBeNull();
  });
