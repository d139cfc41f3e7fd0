import { expect, test } from "bun:test";
import { demandBudget } from "./disk.ts";

test("a root that weighs more than its profile may is refused", () => {
  const mib = 1024 * 1024;
  expect(() => demandBudget(113 * mib, 24 * mib, "core")).not.toThrow();
  expect(() => demandBudget(207 * mib, 118 * mib, "edge")).not.toThrow();
  expect(() => demandBudget(207 * mib, 118 * mib, "core")).toThrow('of the profile "core"');
  expect(() => demandBudget(140 * mib, 24 * mib, "edge")).toThrow("without models is more than");
});
