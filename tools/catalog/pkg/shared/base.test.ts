/** Fetching the base: two that want it at once, and one that comes after a broker that was killed at it. */

import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { valueInNamespaces } from "../../../../sys/testing.ts";
import { testPlaces } from "../../../testing/context.ts";
import { baseFile, needBase } from "./base.ts";

const tests = testPlaces();
afterAll(() => tests.remove());

test("two calls that want the base at once both have it, fetched once", async () => {
  const content = Buffer.alloc(3 * 1024 * 1024, "base ");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const { pin, file } = tests.places.userland;
  writeFileSync(file, content);
  writeFileSync(pin, JSON.stringify({ sha256, size_bytes: content.length, debian: "13" }));
  const contexts = [tests.context(), tests.context()];
  expect(await Promise.all(contexts.map(needBase))).toEqual([sha256, sha256]);
  expect(readFileSync(baseFile(sha256, tests)).equals(content)).toBe(true);
});

/** With a file system in memory in the place of the ESP's. */
test("what a killed broker has left mounted is taken down first, and nothing is left afterwards", async () => {
  const imports = `
import { existsSync, mkdirSync } from "node:fs";
import { whileMounted } from ${JSON.stringify(join(import.meta.dir, "base.ts"))};
import { topMount } from ${JSON.stringify(join(import.meta.dir, "../../fs/shared/mounting.ts"))};
`;
  const value = await valueInNamespaces(
    `
const at = ${JSON.stringify(join(tests.work, "esp"))};
const inMemory = { ...sys, mount: { ...sys.mount, mount: (what) => sys.mount.mount({ ...what, source: "esp", type: "tmpfs" }) } };
mkdirSync(at);
for (const left of ["first", "second"]) sys.mount.mount({ source: left, target: at, type: "tmpfs", flags: ["ro"] });
const seen = [];
await whileMounted({ sys: inMemory }, "esp", at, async (place) => seen.push(place === at, topMount(at)?.source));
console.log(JSON.stringify([...seen, topMount(at), existsSync(at)]));
`,
    { imports },
  );
  expect(value).toEqual([true, "esp", null, false]);
});
