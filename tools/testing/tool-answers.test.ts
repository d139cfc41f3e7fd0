/** What tiers read of the answers of tools is what the tools answer: held against the tools' own schemas. */

import { expect, test } from "bun:test";
import { z } from "zod";
import { tool_answers } from "../../contracts/tool-answers.ts";
import { testCatalog } from "./catalog.ts";

const Shape = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
});
type Shape = z.infer<typeof Shape>;

/** A schema as the list of what it may be; an integer is a number, and one of a list of words is a string. */
function ways(schema: unknown): Shape[] {
  const shape = Shape.parse(schema);
  if (shape.anyOf !== undefined) return shape.anyOf.flatMap(ways);
  return Array.isArray(shape.type) ? shape.type.map((type) => ({ ...shape, type })) : [shape];
}
const kind = ({ type, enum: words, const: word }: Shape): string =>
  type === "integer" ? "number" : typeof type === "string" ? type : typeof (words?.[0] ?? word);

/** What the tool may answer and the reader would refuse, in words. */
function refused(answer: unknown, read: unknown, at: string): string[] {
  return ways(answer).flatMap((way) => {
    const reads = ways(read).filter((one) => kind(one) === kind(way));
    if (reads.length === 0) return [`${at}: ${kind(way)} is not read`];
    const faults = reads.map((one) => within(way, one, at));
    return faults.some((found) => found.length === 0) ? [] : (faults[0] ?? []);
  });
}

function within(way: Shape, read: Shape, at: string): string[] {
  if (kind(way) === "array") return refused(way.items, read.items, `${at}[]`);
  if (kind(way) !== "object") return [];
  return Object.entries(read.properties ?? {}).flatMap(([name, inner]) => {
    const own = way.properties?.[name];
    if (own === undefined || !(way.required ?? []).includes(name)) return [`${at}.${name}: the tool does not always answer it`];
    return refused(own, inner, `${at}.${name}`);
  });
}

const catalog = new Map(testCatalog().map((tool) => [tool.name, tool]));

test.each(Object.entries(tool_answers))("%s", (name, read) => {
  const tool = catalog.get(name);
  if (tool === undefined) throw new Error(`there is no tool "${name}"`);
  const answer = z.toJSONSchema(tool.output, { io: "output" });
  expect(refused(answer, z.toJSONSchema(read, { io: "input" }), name)).toEqual([]);
});

test("what a tool does not answer, or answers otherwise, is found", () => {
  const answer = z.toJSONSchema(
    z.strictObject({ a: z.number(), list: z.array(z.strictObject({ b: z.string().nullable() })), c: z.string().optional() }),
  );
  const found = (read: z.ZodType): string[] => refused(answer, z.toJSONSchema(read, { io: "input" }), "t");
  expect(found(z.object({ a: z.number(), list: z.array(z.object({ b: z.string().nullable() })) }))).toEqual([]);
  expect(found(z.object({ d: z.number() }))).toEqual(["t.d: the tool does not always answer it"]);
  expect(found(z.object({ c: z.string() }))).toEqual(["t.c: the tool does not always answer it"]);
  expect(found(z.object({ a: z.string() }))).toEqual(["t.a: number is not read"]);
  expect(found(z.object({ list: z.array(z.object({ b: z.string() })) }))).toEqual(["t.list[].b: null is not read"]);
});
