import { expect, test } from "bun:test";
import { z } from "zod";
import { issuesText } from "./issues.ts";

const Shape = z.strictObject({
  address: z.union([z.ipv4(), z.ipv6()]),
  process: z.union([z.int(), z.strictObject({ name: z.string() })]).optional(),
});

function said(value: unknown): string {
  const { error } = Shape.safeParse(value);
  return error === undefined ? "" : issuesText(error);
}

test("of a choice between shapes it is said what each of them wants", () => {
  expect(said({ address: "x" })).toBe("address: it fits none of the ways to write it: Invalid IPv4 address; or Invalid IPv6 address");
  expect(said({ address: "::1", process: {} })).toContain("or name: Invalid input: expected string, received undefined");
});

test("anything else is said with its place, five at most", () => {
  expect(said(7)).toBe("value: Invalid input: expected object, received number");
  expect(said({ address: "::1", a: 1 })).toBe('Unrecognized key: "a"');
  const many = z.array(z.int()).safeParse(["a", "b", "c", "d", "e", "f", "g"]);
  expect(many.error === undefined ? [] : issuesText(many.error).split("; ")).toHaveLength(5);
});
