/**
 * To whom the owner of a secret lets it be handed. What runs is named whole, program and arguments: who could choose them
 * could have the value told to him.
 */

import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { PlainPath } from "../../contracts/config.ts";
import { ServiceName } from "../../contracts/service.ts";

const Text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/, "a text without zero bytes");
const argv = z.array(Text).min(1).max(64);

/** Tiers that call models by their APIs. */
export const key_holders = ["strategic"] as const;

export const Use = z.discriminatedUnion("to", [
  z.strictObject({
    to: z.literal("service").describe("a service of service.define"),
    service: ServiceName.describe("its name"),
    argv: argv.describe("its whole argument vector, as it is defined"),
    root: PlainPath.nullable().default(null).describe("the userland that it sees as /, as it is defined"),
    env: z.record(z.string().max(64), Text).default({}).describe("its variables, as they are defined"),
  }),
  z.strictObject({
    to: z.literal("program").describe("a program of process.spawn, without variables and stdin of the caller"),
    argv: argv.describe("its whole argument vector"),
  }),
  z.strictObject({
    to: z.literal("host").describe("a header of net.http"),
    host: z.string().min(1).max(253).describe("the host's name or address, as it stands in the URL"),
    port: z.number().int().min(1).max(65_535).default(443).describe("its port"),
  }),
  z.strictObject({
    to: z.literal("tier").describe("a tier that calls models by their APIs: it gets it as soon as it is kept"),
    tier: z.enum(key_holders).describe("its name; the machine config says for which provider it is"),
  }),
]);
export type Use = z.infer<typeof Use>;

/** What is about to get it. */
export type Consumer = Use | { readonly to: "program"; readonly argv: readonly string[]; readonly varied: true };

/** For policies and people: `service:web`. */
export function consumerName(consumer: Consumer): string {
  if (consumer.to === "service") return `service:${consumer.service}`;
  if (consumer.to === "tier") return `tier:${consumer.tier}`;
  return consumer.to === "program" ? `program:${consumer.argv[0] ?? ""}` : `host:${consumer.host}:${consumer.port}`;
}

export function isIntended(uses: readonly Use[], consumer: Consumer): boolean {
  return !("varied" in consumer) && uses.some((use) => isDeepStrictEqual(use, consumer));
}
