/** What is told of all tools without reading them is what they say of themselves. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalog } from "./catalog/index.ts";
import { describeTool } from "./describe.ts";
import { listingOf, readListing } from "./listing.ts";
import { only_to_look_at, testCatalog } from "./testing/catalog.ts";

const folder = mkdtempSync(join(tmpdir(), "listing-"));
const file = join(folder, "tools.json");
afterAll(() => rmSync(folder, { recursive: true }));

const listing = listingOf(testCatalog());
const reading = (listed: readonly object[], loaders = catalog) => {
  writeFileSync(file, JSON.stringify(listed));
  return readListing(file, loaders, only_to_look_at);
};

test("each tool is told as it is, and loaded when it is asked for", async () => {
  const loaded: string[] = [];
  const noting = Object.entries(catalog).map(([name, load]) => {
    const noted: typeof load = (parts) => {
      loaded.push(name);
      return load(parts);
    };
    return [name, noted] as const;
  });
  const registry = reading(listing, Object.fromEntries(noting));
  expect(registry.names()).toEqual(
    testCatalog()
      .map(({ name }) => name)
      .sort(),
  );
  for (const tool of testCatalog()) expect(registry.describe(tool.name), tool.name).toEqual(describeTool(tool));
  expect(loaded).toEqual([]);
  expect(registry.tool("no.such")).toBeUndefined();
  const [first, second] = [registry.tool("fs.read"), registry.tool("fs.read")];
  expect((await first)?.name).toBe("fs.read");
  expect(registry.tool("fs.read")).toBe(await second);
  expect(loaded).toEqual(["fs.read"]);
  for (const name of registry.names()) expect((await registry.tool(name))?.name).toBe(name);
});

test("a tool that is not as it is listed is not given out", async () => {
  const registry = reading(listing.map((one) => (one.name === "fs.remove" ? { ...one, risk: "observe" } : one)));
  await expect(registry.tool("fs.remove")).rejects.toThrow(`loading the tool "fs.remove" failed: it is not as "${file}" lists it`);
  await expect(registry.tool("fs.remove")).rejects.toThrow("build the image anew");
});

test("a listing of other tools is refused", () => {
  expect(() => reading(listing.filter(({ name }) => name !== "fs.read"))).toThrow("it does not list fs.read");
  expect(() => reading([...listing, { ...listing[0], name: "fs.other" }])).toThrow('there is no tool "fs.other"');
  expect(() => reading([...listing, { ...listing[0] }])).toThrow("the name is taken");
});
