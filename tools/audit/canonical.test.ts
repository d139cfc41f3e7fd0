import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical.ts";

test("the examples of RFC 8785, sections 3.2.2 and 3.2.3", () => {
  const numbers = JSON.parse('{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]}');
  expect(canonicalJson(numbers)).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
  const text = JSON.parse('{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"}');
  expect(canonicalJson(text)).toBe('{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
  const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
  expect(canonicalJson(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\ud83d\ude00":5,"\ufb33":3}');
});

test("what it writes is read back the same, and does not depend on the order of members", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(JSON.parse(canonicalJson(JSON.parse(text)))));
      expect(canonicalJson(reversed(value))).toBe(text);
      expect(text).toBe(plainly(value));
    }),
  );
});

test("what is not JSON is refused; a member without a value is left out; a lone surrogate is escaped", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, [Symbol("x")]]) expect(() => canonicalJson(bad)).toThrow(TypeError);
  let deep: unknown = 1;
  for (let n = 0; n < 500; n += 1) deep = [deep];
  expect(() => canonicalJson(deep)).toThrow("nested deeper");
  expect(canonicalJson({ b: undefined, a: [undefined] })).toBe('{"a":[null]}');
  expect(canonicalJson(JSON.parse('{"__proto__":{"b":1,"a":2},"10":1,"9":2,"toString":3}'))).toBe(
    '{"10":1,"9":2,"__proto__":{"a":2,"b":1},"toString":3}',
  );
  expect(canonicalJson("\ud800")).toBe('"\\ud800"');
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

/** The RFC's own words as a program. */
function plainly(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plainly).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${plainly(Object.getOwnPropertyDescriptor(value, name)?.value)}`).join(",")}}`;
}
