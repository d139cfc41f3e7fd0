import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { z } from "zod";
import { AuditQuery } from "../../contracts/audit.ts";
import { Redactor, redact, redacted } from "./redact.ts";
import { auditIn, entryOf, newFolder } from "./testing/records.ts";

const secret = z.string().meta({ secret: true });
const hidden = (schema: z.ZodType, value: unknown): unknown => new Redactor(z.toJSONSchema(schema)).redact(value);

test("secrets are found in members, arrays, tuples, records, unions, optional and nullable members, and behind references", () => {
  const node: z.ZodType = z.strictObject({
    key: secret,
    get next() {
      return node.optional();
    },
  });
  const schema = z.strictObject({
    name: z.string(),
    password: secret,
    maybe: secret.optional(),
    none: secret.nullable(),
    list: z.array(secret),
    pair: z.tuple([z.string(), secret]),
    env: z.record(z.string(), secret),
    how: z.discriminatedUnion("by", [
      z.strictObject({ by: z.literal("key"), value: secret }),
      z.strictObject({ by: z.literal("file"), path: z.string() }),
    ]),
    whole: z.strictObject({ user: z.string() }).meta({ secret: true }),
    chain: node,
    free: z.unknown(),
  });
  const s = "s3cret";
  const value = {
    name: "n",
    password: s,
    maybe: s,
    none: null,
    list: [s, s],
    pair: ["a", s],
    env: { A: s },
    how: { by: "key", value: s },
    whole: { user: s },
    chain: { key: s, next: { key: s, next: { key: s } } },
    free: { any: [1, "x"] },
  };
  expect(hidden(schema, value)).toEqual({
    name: "n",
    password: redacted,
    maybe: redacted,
    none: null,
    list: [redacted, redacted],
    pair: ["a", redacted],
    env: { A: redacted },
    how: { by: "key", value: redacted },
    whole: redacted,
    chain: { key: redacted, next: { key: redacted, next: { key: redacted } } },
    free: { any: [1, "x"] },
  });
});

test("values that do not fit are hidden where a secret may be in them", () => {
  const schema = z.strictObject({ auth: z.strictObject({ token: secret }), list: z.array(secret), count: z.number() });
  expect(hidden(schema, { auth: "tok", list: "tok", count: "many", pasword: "tok" })).toEqual({
    auth: redacted,
    list: redacted,
    count: "many",
    pasword: redacted,
  });
  expect(hidden(schema, { auth: [{ token: "tok" }], list: { 0: "tok" } })).toEqual({ auth: [redacted], list: { 0: redacted } });
});

test("it is said whether anything was taken out", () => {
  const schema = z.strictObject({ token: secret.optional(), name: z.string() });
  expect(redact(schema, { name: "n" })).toEqual({ value: { name: "n" }, secret: false });
  expect(redact(schema, { name: "n", token: "t" })).toEqual({ value: { name: "n", token: redacted }, secret: true });
  expect(redact(schema, "t")).toEqual({ value: { value: redacted }, secret: true });
});

interface Case {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

let secrets = 0;
/** A schema and a value that fits it; every secret string begins with `hush`. */
const cases: fc.Memo<Case> = fc.memo((depth) => {
  const plain = fc.string({ maxLength: 8 }).map((value): Case => ({ schema: z.string(), value }));
  const kept = fc.constant(null).map((): Case => {
    secrets += 1;
    return { schema: z.string().min(1).meta({ secret: true }), value: `hush${secrets}hush` };
  });
  if (depth <= 1) return fc.oneof(plain, kept);
  const inner = cases(depth - 1);
  const members = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), inner, { maxKeys: 4 });
  return fc.oneof(
    plain,
    kept,
    members.map((all) => ({
      schema: z.strictObject(Object.fromEntries(Object.entries(all).map(([key, one]) => [key, one.schema]))),
      value: Object.fromEntries(Object.entries(all).map(([key, one]) => [key, one.value])),
    })),
    inner.map(({ schema, value }) => ({ schema: z.array(schema), value: [value, value] })),
    inner.map(({ schema, value }) => ({ schema: z.record(z.string(), schema), value: { some: value } })),
    inner.map(({ schema, value }) => ({ schema: schema.optional(), value })),
    inner.map(({ schema, value }) => ({ schema: schema.nullable().default(null), value })),
    fc.tuple(inner, inner).map(([a, b]) => ({ schema: z.union([a.schema, b.schema]), value: b.value })),
    fc.tuple(inner, inner).map(([a, b]) => ({ schema: z.tuple([a.schema, b.schema]), value: [a.value, b.value] })),
  );
});

test("no secret is ever in a byte of the audit's files", async () => {
  const folder = newFolder();
  const audit = auditIn(folder);
  const bytes = (): Buffer => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  let number = 0;
  await fc.assert(
    fc.asyncProperty(cases(4), async ({ schema, value }) => {
      number += 1;
      const input = z.strictObject({ arguments: schema });
      expect(input.safeParse({ arguments: value }).success).toBe(true);
      const body = redact(input, { arguments: value }).value;
      await audit.append(entryOf(number, "intent", { body }));
    }),
    { numRuns: 300 },
  );
  expect(audit.query(AuditQuery.parse({ text: "redacted" })).length).toBeGreaterThan(10); // the words are indexed too
  expect(secrets).toBeGreaterThan(100);
  expect(bytes().includes("redacted")).toBe(true);
  expect(bytes().includes("hush")).toBe(false);
  await audit.append(entryOf(1, "outcome", { body: { text: "hush" } }));
  expect(bytes().includes("hush")).toBe(true);
  await audit.close();
});
