import { expect, test } from "bun:test";
import { MachineConfig } from "../contracts/config.ts";
import { default_config, parseCommandLine } from "./defaults.ts";

test("the default config is what an empty file gives", () => {
  expect(MachineConfig.parse({})).toEqual(default_config);
});

test("the kernel command line: words, values, quotes, the last one counts", () => {
  expect([...parseCommandLine('root=PARTLABEL=root-a ro quiet a="b c" x=1 x=2\n')]).toEqual([
    ["root", "PARTLABEL=root-a"],
    ["ro", ""],
    ["quiet", ""],
    ["a", "b c"],
    ["x", "2"],
  ]);
});
