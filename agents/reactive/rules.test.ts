import { expect, test } from "bun:test";
import { Rule } from "../../contracts/rule.ts";
import { loadRules } from "./rule-set.ts";
import { bundled_rules } from "./rules/index.ts";

test("each rule does what it is for", () => {
  const rules = Object.values(bundled_rules).map((source) => Rule.parse(source));
  expect(Object.fromEntries(rules.map(({ name, action }) => [name, action.do]))).toEqual({
    "clock-lost": "restart",
    "clock-step": "log",
    "disk-filling": "log",
    "disk-inodes": "log",
    "link-down": "log",
    "memory-low": "reclaim-caches",
    "memory-pressure": "reclaim-caches",
    "oom-kill": "log",
    "service-crash-loop": "log",
    "service-dead": "restart",
    "service-hung": "restart",
    "watchdog-near": "log",
  });
});

test("every rule in the image loads and its examples hold", () => {
  const { loaded: rules, refused } = loadRules(bundled_rules);
  expect(refused).toEqual([]);
  expect(rules.map((rule) => rule.name)).toEqual(Object.keys(bundled_rules).map((file) => file.replace(/\.yaml$/, "")));
});
