import { expect, test } from "bun:test";
import { MachineConfig } from "../../contracts/config.ts";
import { default_config } from "../defaults.ts";
import { coreSpecs, notStartedBecause } from "./table.ts";

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

test("on a small machine the strategic tier is started only when it has somebody to ask, and it is said why not", () => {
  const provider = { kind: "anthropic", model: "m", key: { secret: "k" } };
  const asks = MachineConfig.parse({ tiers: { strategic: { providers: [provider] } } });
  const small_bytes = 230 * 1024 * 1024;
  expect(notStartedBecause("strategic", default_config, small_bytes)).toBe(
    "the machine has 230 MiB of memory, and there is nothing for it to ask; name a provider in aios.yaml (tiers.strategic.providers)",
  );
  expect(notStartedBecause("strategic", asks, small_bytes)).toBeNull();
  expect(notStartedBecause("strategic", default_config, 2 ** 30)).toBeNull();
  expect(notStartedBecause("tactical", default_config, small_bytes)).toBeNull();
});
