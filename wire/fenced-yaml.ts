/** YAML in a fenced block of a Markdown text, held against a schema: what programs read of a page that people read too. */

import { readYaml } from "./strict-yaml.ts";

/**
 * The first block that begins with a line "```yaml NAME" and ends with one "```".
 * @returns null: there is none @throws all that is wrong with it, with the lines of the text
 */
export function fencedYaml<T>(text: string, name: string, schema: Parameters<typeof readYaml<T>>[1]): T | null {
  const match = new RegExp(`^\`\`\`yaml ${name}[ \\t]*\\n([\\s\\S]*?\\n)\`\`\`[ \\t]*$`, "m").exec(text);
  if (match === null) return null;
  const read = readYaml(match[1] ?? "", schema, text.slice(0, match.index).split("\n").length);
  if (!("value" in read)) throw new Error(read.problems.join("; "));
  return read.value;
}
