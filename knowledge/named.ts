/** What the text of a page names: calls of tools, events, methods of the broker, other pages. */

import type { FrontMatter } from "../contracts/memory/knowledge.ts";

interface NamedCall {
  readonly tool: string;
  /** Null: the tool is named without a call. */
  readonly arguments: unknown;
  readonly text: string;
  /** The section of the second level in which it stands. */
  readonly section: string;
}

const dotted = /^[a-z]{2,20}\.[a-z][a-z0-9_-]{0,30}$/;

/** Everything between backticks that begins like a tool's or an event's name. @throws when arguments are no JSON */
export function callsIn(body: string): NamedCall[] {
  let section = "";
  const found: NamedCall[] = [];
  for (const line of body.split("\n")) {
    section = /^## (.+)$/.exec(line)?.[1] ?? section;
    for (const [, text = ""] of line.matchAll(/`([^`]+)`/g)) {
      const [name = "", ...rest] = text.split(" ");
      if (!dotted.test(name)) continue;
      const given = rest.join(" ");
      found.push({ tool: name, arguments: given === "" ? null : JSON.parse(given), text, section });
    }
  }
  return found;
}

/** `runbooks/disk-full` */
export function pagesIn(body: string): string[] {
  return [...body.matchAll(/(?<![\w/.])(?:runbooks|system|hardware)\/[a-z0-9-]+/g)].map(([page]) => page);
}

/** `undo/run` */
export function methodsIn(body: string): string[] {
  return [...body.matchAll(/`((?:calls|undo|approvals|grants|tools|audit)\/[a-z]+)`/g)].flatMap(([, method]) => method ?? []);
}

/** The names between braces in the strings of a value: `{service}`. */
export function placeholdersIn(value: unknown): string[] {
  if (typeof value === "string") return [...value.matchAll(/\{([a-z][a-z0-9_]*)\}/g)].flatMap(([, name]) => name ?? []);
  if (Array.isArray(value)) return value.flatMap(placeholdersIn);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(placeholdersIn) : [];
}

/** The value with examples in the place of its placeholders: one that is a whole string becomes the example as it is. */
export function filled(value: unknown, parameters: FrontMatter["parameters"]): unknown {
  if (Array.isArray(value)) return value.map((one) => filled(one, parameters));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, parameters)]));
  if (typeof value !== "string") return value;
  const whole = /^\{([a-z][a-z0-9_]*)\}$/.exec(value)?.[1];
  if (whole !== undefined) return parameters[whole]?.example ?? value;
  return value.replaceAll(/\{([a-z][a-z0-9_]*)\}/g, (text, name: string) => String(parameters[name]?.example ?? text));
}
