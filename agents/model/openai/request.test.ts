import { expect, test } from "bun:test";
import { asks } from "../testing/providers.ts";
import { isStrict, paramsOf } from "./request.ts";

const closed = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };

test("OpenAI's own models and other servers are asked in different words", () => {
  const request = asks("Well?", { temperature: 0.5, tokens_max: 77 });
  const own = paramsOf(request, "gpt-6-sol", "openai");
  expect(own).toMatchObject({ max_completion_tokens: 77, prompt_cache_key: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(own).not.toHaveProperty("temperature");
  expect(own).not.toHaveProperty("max_tokens");
  const other = paramsOf(request, "qwen", "compatible");
  expect(other).toMatchObject({ max_tokens: 77, temperature: 0.5 });
  expect(other).not.toHaveProperty("max_completion_tokens");
  expect(other).not.toHaveProperty("prompt_cache_key");
});

test("the key of the cache is that of the stable part alone", () => {
  const keyed = (stable: string, changing: string) =>
    paramsOf(
      asks("x", {
        system: [
          { text: stable, stable: true },
          { text: changing, stable: false },
        ],
      }),
      "m",
      "openai",
    ).prompt_cache_key;
  expect(keyed("a", "1")).toBe(keyed("a", "2") ?? "");
  expect(keyed("a", "1")).not.toBe(keyed("b", "1") ?? "");
});

test("strict mode is asked for only where the schema allows it", () => {
  expect(isStrict(closed)).toBe(true);
  expect(isStrict({ ...closed, properties: { a: { type: "array", items: closed } } })).toBe(true);
  expect(isStrict({ ...closed, required: [] })).toBe(false);
  expect(isStrict({ ...closed, additionalProperties: true })).toBe(false);
  expect(isStrict({ ...closed, properties: { a: { type: "object", properties: { b: {} } } } })).toBe(false);
  expect(isStrict({ type: "array", items: closed })).toBe(false);
});
