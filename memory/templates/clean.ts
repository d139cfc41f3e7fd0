/**
 * One line of plain text from whatever arrived: without escape sequences, control characters, invisible characters and
 * broken surrogates, cut to a length. What stands after its first line break is kept apart.
 */

import { limits } from "./limits.ts";

interface Cleaned {
  readonly text: string;
  /** What followed the first line; one value for the miner. */
  readonly rest: string;
}

/** CSI and OSC sequences, and two-character escapes (ECMA-48). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const escapes = /\x1b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const invisible = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]+/gu;
const breaks = /[\r\n\u2028\u2029]+/;

export function clean(raw: string): Cleaned {
  const wanted = raw
    .slice(0, limits.line_chars_max * 2)
    .replace(escapes, "")
    .slice(0, limits.line_chars_max);
  const at = wanted.trimStart().search(breaks);
  const trimmed = wanted.trimStart();
  const first = plainText(at < 0 ? trimmed : trimmed.slice(0, at));
  const rest = at < 0 ? "" : plainText(trimmed.slice(at)).trim();
  return { text: first.startsWith("{") && rest === "" ? flattened(first) : first, rest };
}

function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(invisible, " ")
    .replace(/\p{Zs}/gu, " ");
}

const message_keys = ["msg", "message", "event", "log", "text"] as const;
const fields_max = 24;
const bare = /^[\w./:@%+-]{1,200}$/;

/** A line that is a JSON object: its message, then `key=value`. Any other text as it is. */
function flattened(text: string): string {
  if (!text.endsWith("}")) return text;
  const fields = parsed(text);
  return fields === null ? text : lineOf("", fields).slice(0, limits.line_chars_max);
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A message and its fields as one line. */
export function lineOf(message: string, fields: Readonly<Record<string, unknown>>): string {
  const key_of_message = message === "" ? message_keys.find((key) => typeof fields[key] === "string") : undefined;
  const words: string[] = [key_of_message === undefined ? message : String(fields[key_of_message])];
  for (const [key, value] of Object.entries(fields).slice(0, fields_max)) {
    if (key === key_of_message) continue;
    words.push(`${/^[A-Za-z_][\w.-]{0,31}$/.test(key) ? key : "field"}=${valueText(value)}`);
  }
  return plainText(words.join(" ").trim());
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return bare.test(text) ? text : JSON.stringify(text.slice(0, 512));
}
