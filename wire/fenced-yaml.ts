/** YAML in a fenced block of a Markdown text, held against a schema: what programs read of a page that people read too. */

import { readYaml } from "./strict-yaml.ts";

/**
 * The first block that begins with a line "```yaml NAME" and ends with one "```".
 * @returns null: there is none @throws all that is wrong with it, with the lines of the text
 */
export function fencedYaml<T>(text: string, name: string, schema: Parameters<typeof readYaml<T>>[1]): T | null {
  const match = blockOf(name).exec(text);
  if (match === null) return null;
  const read = readYaml(match[1] ?? "", schema, text.slice(0, match.index).split("\n").length);
  if (!("value" in read)) throw new Error(read.problems.join("; "));
  return read.value;
}

/** The text with that block in place of the one of its name, or behind all of it. @param yaml ends with a line break */
export function withFencedYaml(text: string, name: string, yaml: string): string {
  const block = `\`\`\`yaml ${name}\n${yaml}\`\`\``;
  return blockOf(name).test(text) ? text.replace(blockOf(name), () => block) : `${text.trimEnd()}\n\n${block}\n`;
}

function blockOf(name: string): RegExp {
  return new RegExp(`^\`\`\`yaml ${name}[ \\t]*\\n([\\s\\S]*?\\n)\`\`\`[ \\t]*$`, "m");
}
