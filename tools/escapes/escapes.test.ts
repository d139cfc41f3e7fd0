/** All attempts to get around the policies; none may have an effect. */

import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { families } from "./families.ts";

const namespaces = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
const limit_ms = 600_000;
const Line = z.strictObject({ name: z.string(), escaped: z.string().nullable() });

test("there are at least 60, each with a name of its own", () => {
  const names = families.flatMap(({ attempts }) => attempts.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});

/** What came of each attempt of a family, by name. @throws when it did not come to its end */
async function made(family: string): Promise<ReadonlyMap<string, string | null>> {
  const run = join(import.meta.dir, "run.ts");
  const child = Bun.spawn([...namespaces, process.execPath, run, family], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [status, out, said] = await Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const lines = out.split("\n").filter((text) => text !== "");
  expect(status, said).toBe(0);
  return new Map(lines.map((text) => Line.parse(JSON.parse(text))).map(({ name, escaped }) => [name, escaped]));
}

/** All at once: each waits most of its time. */
let all: Promise<ReadonlyMap<string, string | null>[]> | null = null;

for (const [index, family] of families.entries())
  describe(family.name, () => {
    let found: ReadonlyMap<string, string | null> = new Map();
    beforeAll(async () => {
      all ??= Promise.all(families.map(({ name }) => made(name)));
      found = (await all)[index] ?? found;
    }, limit_ms);
    for (const { by, name } of family.attempts)
      test(`${by}: ${name}`, () => {
        expect(found.get(name), found.get(name) ?? "it was not made").toBeNull();
      });
  });
