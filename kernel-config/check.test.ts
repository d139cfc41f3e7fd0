import { expect, describe as group, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { checkConfig, configPath, describe, differences } from "./check.ts";
import { dependencyHint } from "./hints.ts";
import { parseConfig } from "./kconfig.ts";
import { architectures, readWishes, type Wish, wishesText } from "./wanted.ts";

const wish = (symbol: string, value: string, hardening = false): Wish => ({ symbol, value, from: "base.config:7", hardening });

test("missing, different and unwanted symbols are found; met ones are not", () => {
  const config = parseConfig('CONFIG_A=y\nCONFIG_N=250\nCONFIG_ON=y\nCONFIG_S="aios"\n# CONFIG_OFF is not set\n', ".config");
  const wishes = [
    wish("A", "y"),
    wish("GONE", "y"),
    wish("N", "1000"),
    wish("ON", "n"),
    wish("OFF", "n"),
    wish("ABSENT", "n"),
    wish("S", '"aios"'),
  ];
  expect(differences(wishes, config).map(({ wish: { symbol }, got }) => [symbol, got])).toEqual([
    ["GONE", "n"],
    ["N", "250"],
    ["ON", "y"],
  ]);
});

test("a difference names symbol, wanted, got, fragment and hint", () => {
  const text = describe([{ wish: wish("GONE", "y"), got: "n" }], () => "depends on NET (NET=n)");
  expect(text).toBe("  CONFIG_GONE: wanted y, got n (base.config:7)\n    depends on NET (NET=n)");
  expect(describe([{ wish: wish("GONE", "y", true), got: "n" }])).toContain("hardening-exceptions.yaml");
});

group("hint", () => {
  const kconfig =
    'config WIREGUARD\n\ttristate "WireGuard"\n\tdepends on NET && \\\n\t\tINET\n\tdepends on IPV6 || !IPV6\n\nconfig FREE\n\tbool\n';
  const config = parseConfig("CONFIG_NET=y\n", ".config");

  test("shows the dependencies with their present values", () => {
    expect(dependencyHint("WIREGUARD", [kconfig], config)).toBe(
      "depends on NET && INET (NET=y, INET=n)\n    depends on IPV6 || !IPV6 (IPV6=n)",
    );
  });

  test("tells a symbol that no longer exists from one without dependencies", () => {
    expect(dependencyHint("NO_SUCH", [kconfig], config)).toContain("renamed or removed");
    expect(dependencyHint("FREE", [kconfig], config)).toContain("no dependency");
  });
});

test.each([...architectures])("one changed symbol fails the check: %s", (architecture) => {
  const text = wishesText(readWishes(architecture));
  expect(checkConfig(architecture, text)).toBeGreaterThan(300);
  expect(() => checkConfig(architecture, text.replace("CONFIG_EROFS_FS=y\n", ""))).toThrow(
    /CONFIG_EROFS_FS: wanted y, got n \(base\.config:\d+\)/,
  );
  expect(() => checkConfig(architecture, text.replace("CONFIG_STACKPROTECTOR_STRONG=y\n", ""))).toThrow(/hardening-exceptions\.yaml/);
  expect(() => checkConfig(architecture, text.replace("# CONFIG_MODULES is not set", "CONFIG_MODULES=y"))).toThrow(
    /CONFIG_MODULES: wanted n, got y/,
  );
});

for (const architecture of architectures) {
  const path = configPath(architecture);
  test.skipIf(!existsSync(path))(`the resolved configuration in build/ is as wanted: ${architecture}`, () => {
    expect(checkConfig(architecture, readFileSync(path, "utf8"))).toBeGreaterThan(300);
  });
}
