/**
 * A document is Markdown with YAML front matter between two lines `---`. Text goes in; its front matter, checked, and its
 * sections come out, or everything that is wrong with it, each with its line and key.
 */

import { FrontMatter, folder_of_kind } from "../../contracts/memory/knowledge.ts";
import { readYaml } from "../../wire/strict-yaml.ts";
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
    const read = readYaml(yaml, FrontMatter, 1); // after the line "---"
    if (!("value" in read)) return refuse(read.problems);
    const front = read.value;
    const body = text.slice(whole.length).replace(/^\n+/, "");
    if (body.trim() === "") return refuse([`line ${whole.split("\n").length}: there is no text after the front matter`]);
    return { document: { front, body, sections: sectionsOf(front, body) } };
  } catch (error) {
    return refuse([`it cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function refuse(problems: readonly string[]): { readonly problems: readonly string[] } {
  const shown = problems.slice(0, problems_max).map((text) => text.replace(/\s+/g, " ").slice(0, 300));
  return { problems: problems.length > problems_max ? [...shown, `and ${problems.length - problems_max} more`] : shown };
}
