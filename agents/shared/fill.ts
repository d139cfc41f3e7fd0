/** Arguments of calls in data files, with places for what a subject or a text named: `{name}`, or `{name|number}` for a number. */

import type { JsonObject } from "../../contracts/memory/working/fields.ts";

type JsonValue = JsonObject[string];

const place = /\{([a-z_]+)(\|number)?\}/g;

/** Parameters go into values only: what a thing is called can never become another argument. */
export function filledArguments(args: JsonObject, parameters: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, filled(value, parameters)]));
}

function filled(value: JsonValue, parameters: ReadonlyMap<string, string>): JsonValue {
  if (typeof value === "string") return filledText(value, parameters);
  if (Array.isArray(value)) return value.map((one) => filled(one, parameters));
  if (typeof value !== "object" || value === null) return value;
  return filledArguments(value, parameters);
}

function filledText(text: string, parameters: ReadonlyMap<string, string>): string | number {
  const number = /^\{([a-z_]+)\|number\}$/.exec(text);
  if (number !== null) return Number(parameters.get(number[1] ?? ""));
  return text.replace(place, (_, name: string) => parameters.get(name) ?? "");
}

/** @param known what a regular expression finds by name, and more. @throws when a place is for something else */
export function demandKnownPlaces(args: readonly JsonObject[], expression: string, more: readonly string[] = []): void {
  const known = new Set([...more, ...[...expression.matchAll(/\(\?<([a-z_]+)>/g)].map((match) => match[1] ?? "")]);
  for (const [, name = ""] of JSON.stringify(args).matchAll(place))
    if (!known.has(name)) throw new Error(`there is no parameter "${name}"; there are ${[...known].join(", ")}`);
}
