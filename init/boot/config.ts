/** The machine config: text to a checked config, or a list of what is wrong with it, each with its line and key. */

import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { MachineConfig } from "../../contracts/config.ts";
import { reasonOf } from "./files.ts";

export const config_bytes_max = 256 * 1024;
/** A config has a handful of levels; thousands are an attack on the parser. */
const depth_max = 64;
const problems_max = 20;
const problem_chars_max = 300;

export type ParsedConfig =
  | { readonly config: MachineConfig; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly string[] };

/** Never throws, whatever the bytes. */
export function parseConfig(bytes: Uint8Array): ParsedConfig {
  try {
    return parse(bytes);
  } catch (error) {
    return refuse([`it cannot be read: ${reasonOf(error)}`]);
  }
}

function refuse(problems: readonly string[]): ParsedConfig {
  const shown = problems.slice(0, problems_max).map((text) => text.replace(/\s+/g, " ").slice(0, problem_chars_max));
  if (problems.length > problems_max) shown.push(`and ${problems.length - problems_max} more`);
  return { config: null, problems: shown };
}

function parse(bytes: Uint8Array): ParsedConfig {
  if (bytes.length > config_bytes_max) return refuse([`it has ${bytes.length} bytes, more than ${config_bytes_max}`]);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  if (nesting(text) > depth_max) return refuse([`it is nested deeper than ${depth_max} levels`]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    strict: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "error",
  });
  if (document.errors.length > 0) {
    return refuse(document.errors.map((error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message}`));
  }
  const odd: string[] = [];
  visit(document, (_key, node) => {
    const at = (found: Node): string => `line ${lines.linePos(found.range?.[0] ?? 0).line}`;
    if (isAlias(node)) odd.push(`${at(node)}: aliases (*name) are not allowed; write the value out`);
    else if ((isMap(node) || isScalar(node)) && node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:"))
      odd.push(`${at(node)}: the tag "${node.tag}" is not known`);
  });
  if (odd.length > 0) return refuse(odd);
  const checked = MachineConfig.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (checked.success) return { config: checked.data, problems: [] };
  const lineOf = (path: readonly PropertyKey[]): number => lines.linePos(offsetOf(document.contents, path)).line;
  return refuse(checked.error.issues.flatMap((issue) => describe(issue, lineOf)));
}

/** Levels of brackets and of indentation, an upper bound that needs no parser. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
  }
  for (const line of text.split("\n")) deepest = Math.max(deepest, (/^[ \-?:]*/.exec(line)?.[0].length ?? 0) / 2);
  return deepest;
}

function describe(issue: z.core.$ZodIssue, lineOf: (path: readonly PropertyKey[]) => number): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `line ${lineOf([...issue.path, key])}, key "${dotted([...issue.path, key])}": there is no such key`);
  }
  const where = issue.path.length === 0 ? "the whole file" : `key "${dotted(issue.path)}"`;
  return [`line ${lineOf(issue.path)}, ${where}: ${reason(issue)}`];
}

/** For a choice between shapes: what each of them wants. */
function reason(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const each = issue.errors.map((errors) => errors.map((error) => error.message).join(" and "));
  return each.length === 0 ? issue.message : `it fits none of the ways to write it: ${[...new Set(each)].join("; or ")}`;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

/** Where the deepest part of `path` that exists begins; the key itself, when the last part is a key. */
function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node = contents;
  let offset = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return offset;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (typeof node === "object" && node !== null && "items" in node && Array.isArray(node.items)) {
      node = node.items[Number(step)];
      if (isMap(node) || isScalar(node)) offset = node.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
