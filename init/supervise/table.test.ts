import { expect, test } from "bun:test";
import { default_config } from "../defaults.ts";
import { coreSpecs, tooSmallFor } from "./table.ts";

test("all come after the console, by which people look in; the tiers after memory and broker", () => {
  const specs = coreSpecs(default_config, "machine");
  const before = (name: string): string[] => {
    const own = specs.find((spec) => spec.name === name)?.after ?? [];
    return [...own, ...own.flatMap(before)];
  };
  expect(before("console")).toEqual([]);
  for (const { name } of specs) if (name !== "console") expect(before(name), name).toContain("console");
  for (const tier of ["operational", "tactical", "strategic"])
    expect(before(tier), tier).toEqual(expect.arrayContaining(["memory", "broker"]));
});

test("a small machine runs without the thinking tiers, and with all else", () => {
  const names = coreSpecs(default_config, "machine").map(({ name }) => name);
  const kept = (memory_mib: number): string[] => names.filter((name) => !tooSmallFor(name, memory_mib * 1024 * 1024));
  expect(kept(230)).toEqual(["console", "memory", "broker", "reactive"]);
  expect(kept(480)).toEqual(names);
});
