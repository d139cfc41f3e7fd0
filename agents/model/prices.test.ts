import { expect, test } from "bun:test";
import { PriceTable } from "../../contracts/model/provider.ts";
import { costAtMost, costOf, priceOf, tokensAtMost } from "./prices.ts";
import table from "./prices.yaml";
import { asks } from "./testing/providers.ts";

const tokens = { input_tokens: 1000, cache_read_tokens: 2000, cache_write_tokens: 400, output_tokens: 100 };

test("each kind of token has its price; a dated version costs what its model does", () => {
  const { price, known } = priceOf("claude-opus-5-5", undefined);
  expect(known).toBe(true);
  expect(costOf(tokens, price)).toBeCloseTo((1000 * 4 + 2000 * 0.2 + 400 * 5 + 100 * 20) / 1e6, 12);
  expect(priceOf("claude-haiku-4-5-20251001", undefined)).toEqual(priceOf("claude-haiku-4-5", undefined));
  expect(priceOf("gpt-6-sol-2026-09-22", undefined)).toEqual(priceOf("gpt-6-sol", undefined));
});

test("without a price of its own the cache costs what other input does", () => {
  expect(costOf(tokens, { input: 1, output: 0 })).toBeCloseTo(3400 / 1e6, 12);
});

test("a long prompt costs more, all of it", () => {
  const { price } = priceOf("claude-haiku-5-5", undefined);
  const at = (input_tokens: number): number => costOf({ ...tokens, cache_read_tokens: 0, cache_write_tokens: 0, input_tokens }, price);
  expect(at(100_000)).toBeCloseTo((100_000 * 0.1 + 100 * 0.5) / 1e6, 12);
  expect(at(100_001)).toBeCloseTo((100_001 * 0.5 + 100 * 2.5) / 1e6, 12);
});

test("a model that is not in the table counts as the dearest; a price of the config goes before all", () => {
  const { unknown, models } = PriceTable.parse(table);
  expect(priceOf("gpt-9", undefined)).toEqual({ price: unknown, known: false });
  expect(priceOf("__proto__", undefined).known).toBe(false);
  expect(priceOf("gpt-9", { input: 0, output: 0 })).toEqual({ price: { input: 0, output: 0 }, known: true });
  for (const [name, price] of Object.entries(models)) {
    const dear = price.long ?? { input_times: 1, output_times: 1 };
    expect(price.input * dear.input_times, name).toBeLessThanOrEqual(unknown.input);
    expect(price.output * dear.output_times, name).toBeLessThanOrEqual(unknown.output);
  }
});

test("the most is never less than what it comes to, however the input is split between the caches", () => {
  const request = asks("What is wrong?", { tokens_max: 100 });
  const most = tokensAtMost(request);
  for (const name of Object.keys(PriceTable.parse(table).models)) {
    const { price } = priceOf(name, undefined);
    for (const [read, write] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [0.5, 0.5],
    ] as const) {
      const input = most.input_tokens;
      const real = {
        input_tokens: input * (1 - read - write),
        cache_read_tokens: input * read,
        cache_write_tokens: input * write,
        output_tokens: 100,
      };
      expect(costAtMost(most, price), name).toBeGreaterThanOrEqual(costOf(real, price));
    }
  }
});
