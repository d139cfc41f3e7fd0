/** The machine config: text to a checked config, or a list of what is wrong with it, each with its line and key. */

import { MachineConfig } from "../../contracts/config.ts";
import { readYaml } from "../../wire/strict-yaml.ts";
import { reasonOf } from "./files.ts";

export const config_bytes_max = 256 * 1024;
const problems_max = 20;
const problem_chars_max = 300;

type ParsedConfig =
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
  const shown = problems.slice(0, problems_max).map((text) => withoutKeys(text.replace(/\s+/g, " ")).slice(0, problem_chars_max));
  if (problems.length > problems_max) shown.push(`and ${problems.length - problems_max} more`);
  return { config: null, problems: shown };
}

/** A key of an API in the wrong place (a member's name, a tag) would be quoted: what looks like one is not shown; the line is. */
function withoutKeys(text: string): string {
  return text.replace(/[\w+=-]{16,}/g, (word) => (/\d/.test(word) && /[A-Za-z]/.test(word) ? "(hidden)" : word));
}

function parse(bytes: Uint8Array): ParsedConfig {
  if (bytes.length > config_bytes_max) return refuse([`it has ${bytes.length} bytes, more than ${config_bytes_max}`]);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const read = readYaml(text, MachineConfig);
  return "value" in read ? { config: read.value, problems: [] } : refuse(read.problems);
}
