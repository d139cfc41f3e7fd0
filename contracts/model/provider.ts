/** Models behind an API, as the machine config names them (`tiers.strategic`), and what their tokens cost. */

import { z } from "zod";

/** US dollars for a million tokens. */
const Dollars = z.number().min(0).max(10_000);
export const Price = z.lazy(() =>
  z.strictObject({
    input: Dollars,
    output: Dollars,
    /** Left out: as `input`. */
    cache_write: Dollars.optional(),
    cache_read: Dollars.optional(),
    /** Prompts above so many tokens cost so many times as much, all of them. */
    long: z
      .strictObject({
        above_tokens: z.int().min(1),
        input_times: z.number().min(1).max(100),
        output_times: z.number().min(1).max(100),
      })
      .optional(),
  }),
);
export type Price = z.infer<typeof Price>;

/** `agents/model/prices.yaml` */
export const PriceTable = z.lazy(() =>
  z.strictObject({
    read_on: z.iso.date(),
    sources: z.array(z.url()).min(1),
    unknown: Price,
    models: z.record(z.string(), Price),
  }),
);
export type PriceTable = z.infer<typeof PriceTable>;

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** What a key goes to is encrypted, unless it stays on this machine. */
export const ApiUrl = z
  .string()
  .max(500)
  .refine((text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return false;
    return url.protocol === "https:" || (url.protocol === "http:" && loopback.test(url.hostname));
  }, "https://…, or http:// on localhost; without user, password, ? and #");

/** Printable and without blanks: it is the value of a header. */
export const ApiKey = z.string().regex(/^[\x21-\x7e]{1,500}$/, "a key is 1 to 500 printable characters without blanks");

/** A file of the machine: absolute, without a way up. */
const KeyFile = z
  .string()
  .max(4095)
  .regex(/^\/[^\0]*$/, "an absolute path")
  .refine((path) => !path.split("/").includes(".."), 'a path without ".."');

/** Where the key of a provider is. */
export const KeySource = z.union([
  /** Here, in the machine config: PID 1 tells it to nobody but the strategic tier. */
  z.strictObject({ value: ApiKey }),
  /** In a file that PID 1 reads whenever the tier starts. */
  z.strictObject({ file: KeyFile }),
  /** In the vault, put there with `{"to": "tier", "tier": "strategic"}` among its uses. */
  z.strictObject({ secret: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a lower-case letter, then up to 62 of a-z 0-9 -") }),
]);
export type KeySource = z.infer<typeof KeySource>;

export const ApiProvider = z.strictObject({
  kind: z.enum(["anthropic", "openai"]),
  /** As the provider names it. */
  model: z.string().regex(/^[\x21-\x7e]{1,200}$/, "a model's name is 1 to 200 printable characters without blanks"),
  /** Left out: the provider's own. */
  base_url: ApiUrl.optional(),
  /** Left out: the server wants none. */
  key: KeySource.optional(),
  /** PEM: who signs for a server of one's own, instead of the well-known authorities. */
  ca: z
    .string()
    .max(65_536)
    .regex(/^\s*-----BEGIN CERTIFICATE-----[\x20-\x7e\s]*-----END CERTIFICATE-----\s*$/, "PEM: -----BEGIN CERTIFICATE----- …")
    .optional(),
  /** Left out: by the table of the image. */
  price: Price.optional(),
  /** Milliseconds without a byte after which a request is given up. */
  silence_ms: z.int().min(1000).max(600_000).default(90_000),
});
export type ApiProvider = z.infer<typeof ApiProvider>;

const Limit = z.lazy(() =>
  z.strictObject({
    /** US dollars. */
    usd: z.number().min(0).max(1_000_000),
    tokens: z.int().min(0).max(1_000_000_000_000),
  }),
);
export type BudgetLimit = z.infer<typeof Limit>;

/** What may be spent on models behind an API at most; in any hour and any day of running, and for one incident. */
export const ApiBudget = z.lazy(() =>
  z.strictObject({
    hour: Limit.default({ usd: 1, tokens: 1_000_000 }),
    day: Limit.default({ usd: 5, tokens: 5_000_000 }),
    incident: Limit.default({ usd: 1, tokens: 1_000_000 }),
  }),
);
export type ApiBudget = z.infer<typeof ApiBudget>;

export const StrategicConfig = z.lazy(() =>
  z.strictObject({
    enabled: z.boolean().default(true),
    /** In the order in which they are asked: the next one when one fails. */
    providers: z.array(ApiProvider).max(8).default([]),
    budget: ApiBudget.prefault({}),
  }),
);
export type StrategicConfig = z.infer<typeof StrategicConfig>;

/** What PID 1 tells the strategic tier, and nobody else: its config, with the keys that stood in files. */
export const StrategicSettings = z.lazy(() =>
  z.strictObject({
    config: StrategicConfig,
    /** Keys that could not be read, in words. */
    problems: z.array(z.string().max(500)).max(8),
  }),
);
export type StrategicSettings = z.infer<typeof StrategicSettings>;
