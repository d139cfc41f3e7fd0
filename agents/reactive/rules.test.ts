import { expect, test } from "bun:test";
import { loadRules } from "./rule-set.ts";
import { bundled_rules } from "./rules/index.ts";

test("every rule in the image loads and its examples hold", () => {
  const { rules, refused } = loadRules(bundled_rules);
  expect(refused).toEqual([]);
  expect(rules.map((rule) => rule.name)).toEqual(Object.keys(bundled_rules).map((file) => file.replace(/\.yaml$/, "")));
});
