import { expect, test } from "bun:test";
import { default_config } from "../defaults.ts";
import { inOrder, OrderError } from "./order.ts";
import { coreSpecs } from "./table.ts";

const names = (services: readonly { name: string }[]) => services.map(({ name }) => name);

test("each after those it comes after, otherwise as given", () => {
  const sorted = inOrder([
    { name: "c", after: ["b"] },
    { name: "a", after: [] },
    { name: "b", after: ["a"] },
  ]);
  expect(names(sorted)).toEqual(["a", "b", "c"]);
});

test("a cycle is named, and so is a service that does not exist or exists twice", () => {
  const cycle = () =>
    inOrder([
      { name: "a", after: ["c"] },
      { name: "b", after: ["a"] },
      { name: "c", after: ["b"] },
    ]);
  expect(cycle).toThrow(OrderError);
  expect(cycle).toThrow('"a" after "c" after "b" after "a"');
  expect(() => inOrder([{ name: "a", after: ["a"] }])).toThrow('"a" after "a"');
  expect(() => inOrder([{ name: "a", after: ["x"] }])).toThrow('"a" comes after "x": there is no such service');
  expect(() =>
    inOrder([
      { name: "a", after: [] },
      { name: "a", after: [] },
    ]),
  ).toThrow("there twice");
});

test("the order of the services that are ours", () => {
  expect(names(inOrder(coreSpecs(default_config, "machine")))).toEqual([
    "console",
    "memory",
    "broker",
    "reactive",
    "operational",
    "tactical",
    "strategic",
  ]);
  expect(coreSpecs(default_config, "machine")[0]).toMatchObject({ name: "console", after: [] });
});
