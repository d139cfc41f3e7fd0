/** Grammars of llama.cpp held against Ajv: on what fits and does not, and on what the real model says within them. */

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Ajv from "ajv/dist/2020.js";
import fc from "fast-check";
import { z } from "zod";
import { Json, JsonSchema } from "../../../../contracts/model/chat.ts";
import { type Llama, loadLlama } from "../../../../wire/llama.ts";
import { has_models, loadedModel, small } from "../testing/models.ts";
import { answerGrammar } from "./grammar.ts";

setDefaultTimeout(300_000);

let llama: Llama;
beforeAll(async () => {
  llama = await loadLlama(() => {});
});

/** As the grammar writes it: one blank after `,` and `:`. */
function written(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, one]) => `${JSON.stringify(name)}: ${written(one)}`)
    .join(", ")}}`;
}

function accepts(schema: JsonSchema, value: Json): boolean {
  return new llama.AddonGrammar(answerGrammar(schema), { addonExports: llama, rootRuleName: "root" }).isTextCompatible(written(value));
}

function fits(schema: JsonSchema, value: unknown): boolean {
  return new Ajv({ strict: false, validateFormats: false }).compile(schema)(value);
}

const schemaOf = (type: z.ZodType): JsonSchema => JsonSchema.parse(z.toJSONSchema(type));

test("what fits is accepted and what does not is not", () => {
  const cases: readonly [z.ZodType, readonly Json[]][] = [
    [z.int().min(3).max(120), [3, 7, 10, 99, 100, 120, 2, 121, 200, -5, 1.5, "7", 0]],
    [z.int().min(-15).max(4), [-15, -9, -1, 0, 4, -16, 5, 15]],
    [z.int().min(1000).max(20_345), [1000, 9999, 10_000, 19_999, 20_345, 999, 20_346, 30_000]],
    [z.number().min(0).max(1), [0, 1, 0.5, 0.25, 1.5, -0.5, 2]],
    [z.number().min(-1.5).max(2), [-1, 0, 1.5, 2, 2.5, -2]],
    [z.number().min(0.2).max(0.4), [0.3125, 0.3999, 0.1, 0.5, 1]],
    [z.string().min(2).max(4), ["ab", "abcd", 'a"b', "a\\b", "a", "abcde", 5]],
    [
      z
        .string()
        .regex(/^[a-z][a-z0-9-]*$/)
        .max(6),
      ["a", "a-1", "abcdef", "1a", "", "A"],
    ],
    [z.string().regex(/^\d{1,3}(\.\d{1,3}){3}$/), ["1.2.3.4", "10.0.0.255", "1.2.3", "a"]],
    [
      z
        .string()
        .regex(/^[a-z]+(-[0-9]{2})?$/)
        .max(12),
      ["a", "abcdefghi-12", "abcdefghijkl-12", "abcdefghijklm", "abcdefghijkl-1"],
    ],
    [
      z
        .string()
        .regex(/^(\/[a-z]+)+$/)
        .max(9),
      ["/a", "/ab/cd", "/abcdefghi", "/a/b/c/d/e", "/abcdef/hi"],
    ],
    [z.string().regex(/-/).max(5), ["-", "a-", "-b", "a-b", "abcde-", "-abcde", "abc-de"]],
    [z.ipv4(), ["10.0.0.1", "255.255.255.255", "256.0.0.1"]],
    [z.uuid(), ["123e4567-e89b-42d3-a456-426614174000", "no"]],
    [z.enum(["disk", "memory"]), ["disk", "memory", "network", null]],
    [z.literal("x").nullable(), ["x", null, "y"]],
    [z.array(z.boolean()).min(1).max(3), [[true], [true, false, true], [], [true, true, true, true], [1]]],
    [z.tuple([z.int(), z.string()]), [[1, "a"], [1], ["a", 1]]],
    [z.record(z.string(), z.int()), [{}, { a: 1, b: 2 }, { a: "x" }]],
    [z.union([z.int(), z.array(z.int())]), [1, [1, 2], "x"]],
    [
      z.strictObject({ a: z.int().optional(), b: z.string(), c: z.boolean().optional() }),
      [{ b: "x" }, { a: 1, b: "x" }, { b: "x", c: true }, { a: 1, b: "", c: false }, {}, { a: 1 }, { b: 1 }, { b: "x", d: 1 }],
    ],
    [z.strictObject({ a: z.int().optional() }), [{}, { a: 1 }, { a: null }]],
    [
      z.discriminatedUnion("k", [z.strictObject({ k: z.literal("a"), n: z.int() }), z.strictObject({ k: z.literal("b") })]),
      [{ k: "a", n: 1 }, { k: "b" }, { k: "a" }],
    ],
  ];
  for (const [type, values] of cases) {
    const schema = schemaOf(type);
    for (const value of values) expect([schema, value, accepts(schema, value)]).toEqual([schema, value, fits(schema, value)]);
  }
});

test("whole numbers: every border is where it is said to be", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -20_000, max: 20_000 }),
      fc.nat(30_000),
      fc.integer({ min: -60_000, max: 60_000 }),
      (min, more, other) => {
        const schema = { type: "integer", minimum: min, maximum: min + more };
        for (const value of [min - 1, min, min + more, min + more + 1, other])
          expect([schema, value, accepts(schema, value)]).toEqual([schema, value, value >= min && value <= min + more]);
      },
    ),
    { numRuns: 50 },
  );
});

test("a schema that refers to itself, and what a grammar cannot say", () => {
  const tree = { type: "object", properties: { of: { $ref: "#" } }, additionalProperties: false };
  expect(accepts(tree, { of: { of: {} } })).toBe(true);
  expect(accepts(tree, { of: 1 })).toBe(false);
  for (const [name, schema] of Object.entries({
    uniqueItems: { type: "array", uniqueItems: true },
    multipleOf: { type: "integer", multipleOf: 3 },
    not: { not: { type: "string" } },
    "refers to": { $ref: "#/$defs/nothing" },
    none: { type: "integer", minimum: 5, maximum: 4 },
  }))
    expect(() => answerGrammar(schema)).toThrow(name);
});

/** Schemas as tools and answers have them. */
const schemas: fc.Arbitrary<JsonSchema> = fc.letrec<{ schema: JsonSchema; leaf: JsonSchema }>((tie) => ({
  leaf: fc.oneof(
    fc
      .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(500))
      .map(([minimum, more]) => ({ type: "integer", minimum, maximum: minimum + more })),
    fc
      .tuple(fc.integer({ min: -9, max: 9 }), fc.nat(9))
      .map(([minimum, more]) => ({ type: "number", minimum, maximum: minimum + more + 1 })),
    fc.tuple(fc.nat(3), fc.nat(8)).map(([minLength, more]) => ({ type: "string", minLength, maxLength: minLength + more })),
    fc
      .constantFrom("^[a-z]+(-[0-9]{2})?$", "^/[a-z/]*$", "^(yes|no)$", '^"[^"]*"$')
      .map((pattern) => ({ type: "string", pattern, maxLength: 12 })),
    fc.uniqueArray(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 4 }).map((names) => ({ enum: names })),
    fc.constantFrom<JsonSchema>({ type: "boolean" }, { type: "null" }, { const: 7 }),
  ),
  schema: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc
      .tuple(tie("schema"), fc.nat(2), fc.nat(1))
      .map(([items, minItems, more]) => ({ type: "array", items, minItems, maxItems: minItems + more })),
    fc.tuple(tie("leaf"), tie("schema")).map((anyOf) => ({ anyOf })),
    fc
      .tuple(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("schema"), { minKeys: 1, maxKeys: 3 }),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      )
      .map(([properties, needs]) => ({
        type: "object",
        properties,
        required: Object.keys(properties).filter((_, at) => needs[at] === true),
        additionalProperties: false,
      })),
  ),
})).schema;

/** Of shapes drawn from one seed; 14 with AIOS_LONG=1. */
const shapes = process.env["AIOS_LONG"] === "1" ? 14 : 5;

describe.skipIf(!has_models)("with SmolLM2", () => {
  test("what comes out fits, whatever the schema, however wildly it is said", async () => {
    const model = await loadedModel(small({ context_used_tokens: 1024 }));
    const asked = fc.sample(schemas, { numRuns: shapes, seed: 7 });
    let whole = 0;
    for (const schema of asked) {
      const answer = await model.chat({
        system: [],
        messages: [{ role: "user", parts: [{ type: "text", text: "Give an example." }] }],
        tools: [],
        tool_choice: "none",
        answer: { name: "example", schema },
        tokens_max: 200,
        temperature: 1.5,
        limit_ms: 300_000,
      });
      if (answer.stop !== "end") continue;
      whole += 1;
      expect(Json.safeParse(answer.json).success).toBe(true);
      expect([schema, answer.text, fits(schema, JSON.parse(answer.text))]).toEqual([schema, answer.text, true]);
    }
    expect(whole).toBeGreaterThanOrEqual(shapes - 2);
    model.stop("the test is over");
  });
});
