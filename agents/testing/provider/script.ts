/** What the provider of the tests says: conversations as data. */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { readYaml } from "../../../wire/strict-yaml.ts";

function isRegExp(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** One thing that the model says. A tool by our name; `raw` instead of an input is sent as it is, also when it is no JSON. */
const Say = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ json: z.json() }),
  z.strictObject({ thinking: z.string() }),
  z.strictObject({ tool: z.strictObject({ name: z.string(), input: z.record(z.string(), z.json()) }) }),
  z.strictObject({ tool: z.strictObject({ name: z.string(), raw: z.string() }) }),
]);
export type Say = z.infer<typeof Say>;

const Fault = z.discriminatedUnion("kind", [
  /** An answer with an error, in the provider's own shape. `retry_after`: seconds, or an HTTP date; `echo_key`: the key stands in its text. */
  z.strictObject({
    kind: z.literal("status"),
    status: z.number().int().min(400).max(599),
    type: z.string().optional(),
    retry_after: z.string().optional(),
    retry_after_ms: z.string().optional(),
    echo_key: z.boolean().default(false),
  }),
  /** The connection is cut: at once, or after so many events of the stream. */
  z.strictObject({ kind: z.literal("break"), after_events: z.number().int().min(0).default(0) }),
  /** The stream ends as if all were well, after so many events. */
  z.strictObject({ kind: z.literal("end"), after_events: z.number().int().min(0) }),
  /** An error event within the stream (Messages API), or an error in place of a chunk. */
  z.strictObject({ kind: z.literal("error"), after_events: z.number().int().min(0), type: z.string().default("overloaded_error") }),
  /** Nothing comes any more, until whoever asked goes away. */
  z.strictObject({ kind: z.literal("hang"), after_events: z.number().int().min(0).default(0) }),
  /** It is led elsewhere. */
  z.strictObject({ kind: z.literal("redirect"), to: z.string() }),
  /** The stream carries something that is no JSON. */
  z.strictObject({ kind: z.literal("garbage"), after_events: z.number().int().min(0) }),
]);
export type Fault = z.infer<typeof Fault>;

const Turn = z.strictObject({
  /** What has to be in the request, or it is a problem. */
  expect: z
    .strictObject({
      /** In the last user message, or in a result of a tool in it. */
      text: z.string().optional(),
      tool_result: z.string().optional(),
      /** Offered. */
      tool: z.string().optional(),
    })
    .default({}),
  faults: z.array(Fault).default([]),
  say: z.array(Say),
  stop: z.enum(["refusal", "length"]).optional(),
  /** Milliseconds before the first byte, and between events. */
  first_byte_ms: z.number().int().min(0).default(0),
  between_ms: z.number().int().min(0).default(0),
  /** Left out: counted. */
  tokens: z
    .strictObject({ input: z.number().int(), cache_read: z.number().int(), cache_write: z.number().int(), output: z.number().int() })
    .optional(),
  /** The stream does not say what it used, as some servers do not. */
  no_usage: z.boolean().default(false),
});
export type Turn = z.infer<typeof Turn>;

export const Script = z.strictObject({
  conversations: z
    .array(
      z.strictObject({
        /** Stands in the first user message; left out: fits every request. */
        when: z.string().default(""),
        /** A regular expression that fits it too; what its named groups find stands for `{{name}}` in what is said and expected. */
        match: z.string().refine(isRegExp, "a regular expression, as JavaScript has them").default(""),
        turns: z.array(Turn).min(1),
      }),
    )
    .min(1),
});
export type Script = z.infer<typeof Script>;
export type ScriptText = z.input<typeof Script>;

/** The turn with what was found in the first message. */
export function filled(turn: Turn, found: Readonly<Record<string, string>>): Turn {
  if (Object.keys(found).length === 0) return turn;
  const text = JSON.stringify(turn).replace(/\{\{([a-z_]+)\}\}/g, (as_it_was, name: string) => {
    const value = found[name];
    return value === undefined ? as_it_was : JSON.stringify(value).slice(1, -1);
  });
  return Turn.parse(JSON.parse(text));
}

/** @throws with every line that is wrong */
export function readScript(path: string): Script {
  const read = readYaml(readFileSync(path, "utf8"), Script);
  if ("value" in read) return read.value;
  throw new Error(`reading the conversations "${path}" failed: ${read.problems.join("; ")}`);
}
