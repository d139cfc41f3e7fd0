/**
 * YAML that people write, held against a schema: everything that is wrong with it, each with its line and key. Aliases and tags
 * of other kinds are refused: they make a small text a large value.
 */

import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { issueReason } from "./issues.ts";
import { keysAt } from "./keys-at.ts";

/** What people write has a handful of levels; thousands are an attack on the parser. */
const depth_max = 64;

/**
 * @param lines_before of the file that the text is a part of, for the numbers of lines
 * @throws what the parser throws on text that it cannot cope with
 */
export function readYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  lines_before = 0,
): { readonly value: T } | { readonly problems: readonly string[] } {
  if (nesting(text) > depth_max) return { problems: [`it is nested deeper than ${depth_max} levels`] };
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line + lines_before;
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    strict: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "error",
  });
  if (document.errors.length > 0) return { problems: document.errors.map((error) => `line ${lineAt(error.pos[0])}: ${error.message}`) };
  const odd: string[] = [];
  visit(document, (_key, node) => {
    const at = (found: Node): string => `line ${lineAt(found.range?.[0] ?? 0)}`;
    if (isAlias(node)) odd.push(`${at(node)}: aliases (*name) are not allowed; write the value out`);
    else if ((isMap(node) || isScalar(node)) && node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:"))
      odd.push(`${at(node)}: the tag "${node.tag}" is not known`);
  });
  if (odd.length > 0) return { problems: odd };
  const checked = schema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (checked.success) return { value: checked.data };
  const lineOf = (path: readonly PropertyKey[]): number => lineAt(offsetOf(document.contents, path));
  return { problems: checked.error.issues.flatMap((issue) => describe(issue, lineOf, schema)) };
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

function describe(issue: z.core.$ZodIssue, lineOf: (path: readonly PropertyKey[]) => number, schema: z.ZodType): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    const which = known.length === 0 ? "" : `; there are ${known.join(", ")}`;
    return issue.keys.map((key, index) => {
      const path = [...issue.path, key];
      return `line ${lineOf(path)}, key "${dotted(path)}": there is no such key${index === 0 ? which : ""}`;
    });
  }
  const where = issue.path.length === 0 ? "the whole file" : `key "${dotted(issue.path)}"`;
  return [`line ${lineOf(issue.path)}, ${where}: ${issueReason(issue)}`];
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
