/** All attempts to get around the policies; none may have an effect. */

import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { families } from "./families.ts";

const namespaces = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
const limit_ms = 300_000;
const Line = z.strictObject({ name: z.string(), escaped: z.string().nullable() });

test("there are at least 60, each with a name of its own", () => {
  const names = families.flatMap(({ attempts }) => attempts.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});

for (const family of families)
  describe(family.name, () => {
    const found = new Map<string, string | null>();
    beforeAll(async () => {
      const run = join(import.meta.dir, "run.ts");
      const child = Bun.spawn([...namespaces, process.execPath, run, family.name], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const [status, out, said] = await Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
      for (const line of out.split("\n").filter((text) => text !== "")) {
        const { name, escaped } = Line.parse(JSON.parse(line));
        found.set(name, escaped);
      }
      expect(status, said).toBe(0);
    }, limit_ms);
    for (const { by, name } of family.attempts)
      test(`${by}: ${name}`, () => {
        expect(found.get(name)).toBeNull();
      });
  });
