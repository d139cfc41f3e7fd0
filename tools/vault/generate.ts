/** New values, from the kernel's random numbers. */

import { randomInt } from "node:crypto";
import { z } from "zod";

const alphabets = {
  alphanumeric: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  hex: "0123456789abcdef",
  digits: "0123456789",
  /** Base64url (RFC 4648, 5): no sign of it needs quoting in a URL, header or shell. */
  base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  printable: Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join(""),
} as const;

export const Generate = z.strictObject({
  length: z.number().int().min(8).max(1024).default(32).describe("signs"),
  alphabet: z
    .enum(["alphanumeric", "hex", "digits", "base64url", "printable"])
    .default("base64url")
    .describe("what it is made of; printable: all of ASCII but the blank"),
});
export type Generate = z.infer<typeof Generate>;

/** Each sign is chosen evenly. */
export function generate({ length, alphabet }: Generate): string {
  const signs = alphabets[alphabet];
  return Array.from({ length }, () => signs[randomInt(signs.length)]).join("");
}
