/** What the system chooses by itself: by memory, by speed, in place of what does not load, and never over a person's choice. */

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import type { CatalogueModel, ModelTier } from "../../../contracts/model/catalogue.ts";
import { workingBytes } from "../../../contracts/model/catalogue.ts";
import { testPlaces } from "../../testing/context.ts";
import { ModelChooser } from "./chooser.ts";
import { choose } from "./shared/choose.ts";
import { keepSpeed, select, selectionOf } from "./shared/selection.ts";
import { fetchedPath, inUse, modelsFolder, presentFile } from "./shared/store.ts";
import { catalogued, ship, writeCatalogue } from "./testing/world.ts";

const tests = testPlaces();
afterAll(() => tests.remove());

const mib = 1024 * 1024;
const limits = { memory_share: 0.5, prompt_tokens_s_min: 100, tokens_s_min: 10, unmeasured_parameters_b_max: 0.5 };
const catalogue = { choice: { operational: limits, tactical: limits } };
const sized = (name: string, parameters_b: number, more: Partial<CatalogueModel> = {}): CatalogueModel =>
  catalogued(name, Buffer.from(name), ["package:x"], { parameters_b, size_bytes: parameters_b * 1000 * mib, ...more });
const speed = (prompt_tokens_s: number, tokens_s: number) => ({ prompt_tokens_s, tokens_s, threads: 1, load_ms: 1, measured_ms: 1 });
const named = (memory_mib: number, ...candidates: Parameters<typeof choose>[3]) =>
  choose("tactical", catalogue, memory_mib * mib, candidates);

test("the largest that fits into its share of the memory", () => {
  const [small, large] = [sized("small", 0.1), sized("large", 0.4)];
  const both = [small, large].map((model) => ({ model, speed: null }));
  const needed = (large.size_bytes + workingBytes(large)) / mib;
  expect(named(needed * 2, ...both).name).toBe("large");
  const tight = named(needed * 2 - 1, ...both);
  expect(tight.name).toBe("small");
  expect(tight.reason).toMatch(
    /^"small" is the largest that fits and is quick enough; "large" needs \d+ MiB of memory, and \d+ MiB are for it$/,
  );
  expect(named(100, ...both)).toMatchObject({ name: null, reason: expect.stringContaining("none of the models here will do") });
});

test("one that is too slow gives way; what was not measured is reckoned from what was, or has to be small", () => {
  const [small, large, huge] = [sized("small", 0.1), sized("large", 0.4), sized("huge", 4)];
  const room = 100_000;
  expect(named(room, { model: small, speed: null }, { model: huge, speed: null }).name).toBe("small");
  expect(named(room, { model: small, speed: null }, { model: large, speed: speed(1000, 9) }).name).toBe("small");
  expect(named(room, { model: small, speed: null }, { model: large, speed: speed(99, 50) }).reason).toContain(
    "reads 99 tokens a second, and 100 are wanted",
  );
  expect(named(room, { model: large, speed: speed(1000, 100) }, { model: huge, speed: null }).name).toBe("huge");
  expect(named(room, { model: large, speed: speed(900, 100) }, { model: huge, speed: null }).name).toBe("large");
});

test("without a model for the tier it says so", () => {
  expect(choose("tactical", catalogue, 1e12, [])).toEqual({
    name: null,
    reason: "there is no model for the tactical tier on this machine",
  });
  expect(named(1e6, { model: sized("x", 0.1, { roles: ["operational"] }), speed: null }).name).toBeNull();
});

/** A chooser whose calls do what `model.use` does; what is in `broken` does not load. */
function world(...broken: string[]) {
  const context = tests.context();
  const calls: string[] = [];
  const chooser: ModelChooser = new ModelChooser({
    context,
    memory_bytes: () => 1e12,
    log: () => {},
    async call(tool, args) {
      const { name = null, tier } = args as { name?: string | null; tier?: ModelTier };
      calls.push(`${tool} ${tier ?? ""} ${name}`);
      if (tool === "model.bench" && name !== null) keepSpeed(name, speed(5, 5), context.state);
      if (tier === undefined) return { status: "done", text: "" };
      if (name !== null && broken.includes(name)) return { status: "undone", text: "it does not load" };
      const model = [...models, third].find((one) => one.name === name);
      const file = model === undefined ? null : presentFile(model, context.places);
      select(tier, { model: file === null ? null : inUse(file), pinned: false }, context);
      return { status: "done", text: "" };
    },
  });
  const settle = async (): Promise<void> => {
    chooser.look();
    await chooser.settled();
  };
  return { context, calls, chooser, settle };
}
const models = ["first", "second"].map((name, at) => catalogued(name, Buffer.from(name), ["package:x"], { parameters_b: 0.1 * (at + 1) }));
const third = catalogued("third", Buffer.from("third"), ["package:x"], { parameters_b: 0.3 });
writeCatalogue(tests.places, [...models, third]);
for (const { name } of models) ship(tests.places, name, Buffer.from(name));

test("each tier gets one, once; a person's choice stands", async () => {
  const { context, calls, settle } = world();
  const file = presentFile(models[0] ?? never(), context.places);
  select("operational", { model: inUse(file ?? never()), pinned: true }, context);
  await settle();
  expect(calls).toEqual(["model.use tactical second"]);
  await settle();
  expect(calls.length).toBe(1);
  expect(selectionOf("operational", context.state).model?.name).toBe("first");
});

test("what does not load is passed over, and not tried again", async () => {
  const { calls, settle, context } = world("second");
  await settle();
  await settle();
  expect(calls).toEqual([
    "model.use operational second",
    "model.use operational first",
    "model.use tactical second",
    "model.use tactical first",
  ]);
  expect(selectionOf("tactical", context.state).model?.name).toBe("first");
});

test("what was fetched is measured before it is chosen, and what came with the image is not", async () => {
  const { calls, chooser } = world();
  mkdirSync(modelsFolder(tests.places), { recursive: true });
  writeFileSync(fetchedPath(tests.places, third.name), third.name);
  chooser.heard({ tool: "model.pull", status: "undone", principal: "person:anna" });
  expect(calls).toEqual([]);
  chooser.heard({ tool: "model.pull", status: "done", principal: "person:anna" });
  await chooser.settled();
  expect(calls.slice(0, 2)).toEqual(["model.bench  third", "model.use operational third"]);
  chooser.heard({ tool: "model.bench", status: "done", principal: "system" });
  chooser.heard({ tool: "model.pull", status: "done", principal: "person:anna" });
  await chooser.settled();
  expect(calls.filter((call) => call.startsWith("model.bench")).length).toBe(1);
});

function never(): never {
  throw new Error("it is there");
}
