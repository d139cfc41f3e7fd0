/** Making links: what policies see of them, and back. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { callTool } from "../../testing/context.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { link } from "./link.ts";
import { fileWorld } from "./testing/world.ts";

setDefaultTimeout(60_000); // a machine may be busy

const world = fileWorld();
const { tests, at, refused } = world;

test("symbolic and hard; back from everywhere", async () => {
  expect(await undoneFromEverywhere(tests, link, { path: at("s"), to: "any/where", kind: "symbolic" }, world.root)).toBe(2);
  expect(await undoneFromEverywhere(tests, link, { path: at("h"), to: at("tree/file"), kind: "hard" }, world.root)).toBe(2);
  const { output } = await callTool(link, { path: at("h"), to: at("tree/file"), kind: "hard" }, tests.context());
  expect(output).toEqual({ path: at("h"), to: at("tree/file"), links: 3 });
});

test("what policies see: the file that gets a name, and where a symbolic link leads", async () => {
  const seen = async (to: string, kind: string): Promise<string[]> => {
    const context = tests.context();
    const target = await link.resolve(link.input.parse({ path: at("l"), to, kind }), context);
    target.close?.();
    return target.resources.map(({ id, access }) => `${access} ${id}`);
  };
  expect(await seen("tree/../other", "symbolic")).toEqual([`write ${at("l")}`, `read ${at("other")}`]);
  expect(await seen(at("other"), "hard")).toEqual([`write ${at("l")}`, `write ${at("other")}`]);
});

test("refusals", async () => {
  await refused(link, { path: at("other"), to: "x", kind: "symbolic" }, "there is something already");
  await refused(link, { path: at("h"), to: at("tree"), kind: "hard" }, "is a folder, not a file");
  await refused(link, { path: at("h"), to: at("none"), kind: "hard" }, "there is nothing");
  await refused(link, { path: at("h"), to: "/proc/self/status", kind: "hard" }, "on another mount");
  await refused(link, { path: at("s"), to: tests.places.broker, kind: "symbolic" }, "belongs to the broker");
  await refused(link, { path: at("s"), to: "a\0b", kind: "symbolic" }, "is no path");
});
