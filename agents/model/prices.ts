/** What tokens cost (prices.yaml, or the machine config), and what a request can cost at most. */

import type { ChatRequest, Tokens, Usage } from "../../contracts/model/chat.ts";
import { type Price, PriceTable } from "../../contracts/model/provider.ts";
import table from "./prices.yaml";

const per = 1_000_000;
/** Tokens that a provider adds by itself: what tools mean, and where messages begin and end. */
const added_tokens = 2000;
const added_tokens_a_message = 16;

interface Priced {
  readonly price: Price;
  /** Whether it was known; else it counts as the dearest. */
  readonly known: boolean;
}

let parsed: PriceTable | null = null;

/** A dated version of a model (`-20251001`, `-2026-04-23`) costs what the model does. */
export function priceOf(model: string, own: Price | undefined): Priced {
  if (own !== undefined) return { price: own, known: true };
  parsed ??= PriceTable.parse(table);
  const { models, unknown } = parsed;
  const names = [model, model.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, "")];
  const name = names.find((one) => Object.hasOwn(models, one));
  const price = name === undefined ? undefined : models[name];
  return price === undefined ? { price: unknown, known: false } : { price, known: true };
}

/** US dollars. */
export function costOf(tokens: Tokens, { input, output, cache_write = input, cache_read = input, long }: Price): number {
  const prompt = tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens;
  const is_long = long !== undefined && prompt > long.above_tokens;
  const asked = tokens.input_tokens * input + tokens.cache_read_tokens * cache_read + tokens.cache_write_tokens * cache_write;
  return (asked * (is_long ? long.input_times : 1) + tokens.output_tokens * output * (is_long ? long.output_times : 1)) / per;
}

export function usageOf(tokens: Tokens, price: Price): Usage {
  return { ...tokens, cost_usd: costOf(tokens, price) };
}

/**
 * The most tokens that a request can come to. No tokeniser needs more tokens than the text has bytes (UTF-8), and as JSON it has no
 * fewer; so this is an upper bound for any model, usually four times what it takes, and the difference is given back when it is known.
 */
export function tokensAtMost(request: ChatRequest): Tokens {
  const { system, messages, tools, answer, tokens_max } = request;
  const bytes = Buffer.byteLength(JSON.stringify([system, messages, tools, answer]));
  return {
    input_tokens: bytes + added_tokens + added_tokens_a_message * (messages.length + tools.length),
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: tokens_max,
  };
}

/** As if all of the input went into the cache or none, whichever is dearer. */
export function costAtMost(tokens: Tokens, price: Price): number {
  const written = { ...tokens, input_tokens: 0, cache_write_tokens: tokens.input_tokens };
  return Math.max(costOf(tokens, price), costOf(written, price));
}

export function countOf(tokens: Tokens): number {
  return tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens + tokens.output_tokens;
}

export function sum(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cache_read_tokens: a.cache_read_tokens + b.cache_read_tokens,
    cache_write_tokens: a.cache_write_tokens + b.cache_write_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cost_usd: a.cost_usd + b.cost_usd,
  };
}

export const no_usage: Usage = { input_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0, cost_usd: 0 };
