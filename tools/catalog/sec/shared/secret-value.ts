/** The value of a secret as a caller gives it, or has it made. It is redacted wherever arguments are written. */

import { z } from "zod";
import { ToolError } from "../../../tool.ts";
import { Generate, generate } from "../../../vault/generate.ts";
import { value_bytes_max } from "../../../vault/record.ts";

export const value_input = {
  value: z
    .string()
    .min(1)
    .max(Math.ceil((value_bytes_max * 4) / 3))
    .meta({ secret: true })
    .optional()
    .describe("the value; never written down, never given back. Better not from a model: people put it with `aiosctl secret put`"),
  encoding: z.enum(["utf8", "base64"]).default("utf8").describe("of `value`: text, or bytes in base64"),
  generate: Generate.optional().describe("make a value instead, which nobody has seen"),
};

interface Given {
  readonly value?: string | undefined;
  readonly encoding: "utf8" | "base64";
  readonly generate?: Generate | undefined;
}

/** @returns null when neither is given. @throws {ToolError} without the value in it */
export function givenValue(about: string, { value, encoding, generate: wanted }: Given): Buffer | null {
  if (value !== undefined && wanted !== undefined)
    throw new ToolError(`${about} failed: a value is given, and another is to be made; give "value" or "generate"`);
  if (wanted !== undefined) return Buffer.from(generate(wanted));
  if (value === undefined) return null;
  const bytes = Buffer.from(value, encoding);
  if (encoding === "base64" && bytes.toString("base64").replace(/=+$/, "") !== value.replace(/=+$/, ""))
    throw new ToolError(`${about} failed: its value is not base64 (RFC 4648, 4), though "encoding" says so`);
  if (bytes.length === 0 || bytes.length > value_bytes_max)
    throw new ToolError(`${about} failed: its value is ${bytes.length} bytes, and may be 1 to ${value_bytes_max}`);
  return bytes;
}
