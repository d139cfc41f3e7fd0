/**
 * A document is Markdown with YAML front matter between two lines `---`. Text goes in; its front matter, checked, and its
 * sections come out, or everything that is wrong with it, each with its line and key.
 */

import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { FrontMatter, folder_of_kind } from "../../contracts/memory/knowledge.ts";
import { type Section, sectionsOf } from "./sections.ts";

export const document_bytes_max = 65_536;
const front_chars_max = 16_384;
const problems_max = 12;
/** Nobody means these, and terminals and models obey some of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are refused
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/;

export interface Document {
  readonly front: FrontMatter;
  /** What comes after the front matter. */
  readonly body: string;
  readonly sections: readonly Section[];
}

export type Parsed = { readonly document: Document } | { readonly problems: readonly string[] };

/** @param id under which it is kept. Never throws, whatever the text. */
export function parseDocumentOf(id: string, text: string): Parsed {
  const parsed = parseText(text);
  if ("problems" in parsed) return parsed;
  const { kind } = parsed.document.front;
  if (id.startsWith(folder_of_kind[kind])) return parsed;
  return refuse([`key "kind": the id of a ${kind} begins with ${folder_of_kind[kind]}, and this one is "${id}"`]);
}

/** Never throws, whatever the text. */
export function parseText(text: string): Parsed {
  const bytes = Buffer.byteLength(text);
  if (bytes > document_bytes_max) return refuse([`it has ${bytes} bytes, more than ${document_bytes_max}: make two documents of it`]);
  const odd = text.split("\n").findIndex((line) => control.test(line));
  if (odd >= 0) return refuse([`line ${odd + 1}: it holds a control character; take it out (line breaks are a line feed alone)`]);
  const match = /^---\n([\s\S]*?\n)---[ \t]*(?:\n|$)/.exec(text);
  if (match === null) return refuse(['line 1: it does not begin with front matter: a line "---", title, kind and summary, a line "---"']);
  const [whole, yaml = ""] = match;
  if (yaml.length > front_chars_max)
    return refuse([`line 1: the front matter has ${yaml.length} characters, more than ${front_chars_max}`]);
  try {
    const front = parseFront(yaml);
    if (!("front" in front)) return front;
    const body = text.slice(whole.length).replace(/^\n+/, "");
    if (body.trim() === "") return refuse([`line ${whole.split("\n").length}: there is no text after the front matter`]);
    return { document: { front: front.front, body, sections: sectionsOf(front.front, body) } };
  } catch (error) {
    return refuse([`it cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function refuse(problems: readonly string[]): { readonly problems: readonly string[] } {
  const shown = problems.slice(0, problems_max).map((text) => text.replace(/\s+/g, " ").slice(0, 300));
  return { problems: problems.length > problems_max ? [...shown, `and ${problems.length - problems_max} more`] : shown };
}

function parseFront(yaml: string): { readonly front: FrontMatter } | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  // the line "---" above it is line 1 of the document
  const lineAt = (offset: number): number => lines.linePos(offset).line + 1;
  const parsed = parseDocument(yaml, {
    ...{ lineCounter: lines, schema: "core", strict: true, uniqueKeys: true },
    ...{ prettyErrors: false, logLevel: "error" },
  });
  if (parsed.errors.length > 0) return refuse(parsed.errors.map((error) => `line ${lineAt(error.pos[0])}: ${error.message}`));
  const odd: string[] = [];
  visit(parsed, (_key, node) => {
    if (isAlias(node)) odd.push(`line ${lineAt(node.range?.[0] ?? 0)}: aliases (*name) are not allowed; write the value out`);
  });
  if (odd.length > 0) return refuse(odd);
  const checked = FrontMatter.safeParse(parsed.toJS({ maxAliasCount: 0 }) ?? {});
  if (checked.success) return { front: checked.data };
  return refuse(checked.error.issues.flatMap((issue) => wordsOf(issue, (path) => lineAt(offsetOf(parsed.contents, path)))));
}

function wordsOf(issue: z.core.$ZodIssue, lineOf: (path: readonly PropertyKey[]) => number): string[] {
  const dotted = (path: readonly PropertyKey[]): string => path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `line ${lineOf([...issue.path, key])}, key "${dotted([...issue.path, key])}": there is no such key`);
  return [`line ${lineOf(issue.path)}, key "${dotted(issue.path)}": ${issue.message}`];
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
