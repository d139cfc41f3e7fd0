import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatSetting, parseConfig, parseKconfig } from "./kconfig.ts";

test("every kind of setting is read, with its line", () => {
  const text = '# A reason.\nCONFIG_A=y\n\n# CONFIG_B is not set\nCONFIG_C="x,\\"y\\""\nCONFIG_D=0x1000\nCONFIG_E=-1\nCONFIG_F=n\n';
  expect(parseKconfig(text, "f")).toEqual([
    { symbol: "A", value: "y", line: 2 },
    { symbol: "B", value: "n", line: 4 },
    { symbol: "C", value: '"x,\\"y\\""', line: 5 },
    { symbol: "D", value: "0x1000", line: 6 },
    { symbol: "E", value: "-1", line: 7 },
    { symbol: "F", value: "n", line: 8 },
  ]);
});

test("what is nearly a setting is refused with its line", () => {
  for (const bad of [
    "CONFIG_A=m",
    "CONFIG_A = y",
    "CONFIG_A",
    "A=y",
    'CONFIG_A="open',
    "# CONFIG_A is not set.",
    "#CONFIG_A=y",
    "# CONFIG_A=y",
  ]) {
    expect(() => parseKconfig(`CONFIG_Z=y\n${bad}\n`, "some.config"), bad).toThrow(/some\.config.*line 2/);
  }
});

test("a symbol said twice is refused", () => {
  expect(() => parseKconfig("CONFIG_A=y\n# CONFIG_A is not set\n", "f")).toThrow(/CONFIG_A is said in line 1 and again in line 2/);
});

test("prose is a comment", () => {
  expect(parseKconfig("# CONFIG_A was too slow\n# Automatically generated file\n", "f")).toEqual([]);
});

test("what is written is read back", () => {
  const value = fc.oneof(
    fc.constantFrom("y", "n"),
    fc.integer().map(String),
    fc.stringMatching(/^[ a-z,.0-9]*$/).map((text) => `"${text}"`),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/), value), (settings) => {
      const entries = Object.entries(settings);
      const text = entries.map(([symbol, setting]) => formatSetting(symbol, setting)).join("\n");
      expect([...parseConfig(text, "f")]).toEqual(entries);
    }),
  );
});
