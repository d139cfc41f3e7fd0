/** Reasons for people, with the values that decided. Untrusted text is quoted, cut and freed of what a terminal obeys. */

import type { Event } from "../../contracts/event.ts";
import { type Facts, type Getter, getterOf, requireFact } from "./facts.ts";

const untrusted_length_max = 80;
const reason_length_max = 500;

const formats = {
  bytes: (value: number) => (value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${(value / 1e6).toFixed(1)} MB`),
  percent: (value: number) => `${(value * 100).toFixed(1)} %`,
  ms: (value: number) => (Math.abs(value) >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`),
} as const;
type Format = keyof typeof formats;

export type Template = (event: Event) => string;

/** @throws when it names a missing fact or an unknown format */
export function compileTemplate(text: string, facts: Facts): Template {
  const parts = text.split(/\{([^{}]*)\}/).map((part, index) => (index % 2 === 0 ? () => part : placeholder(part, facts)));
  return (event) =>
    parts
      .map((part) => part(event))
      .join("")
      .slice(0, reason_length_max);
}

function placeholder(text: string, facts: Facts): Template {
  const [path = "", format] = text.split("|");
  const fact = requireFact(facts, path, format === undefined ? ["string", "number", "boolean", "untrusted"] : ["number"]);
  const get = getterOf(path);
  if (fact.type === "untrusted") return (event) => harmless(get(event));
  if (format === undefined) return plain(get);
  if (!isFormat(format)) throw new Error(`there is no format "${format}"; there are ${Object.keys(formats).join(", ")}`);
  const write = formats[format];
  return (event) => {
    const value = get(event);
    return typeof value === "number" ? write(value) : "none";
  };
}

function plain(get: Getter): Template {
  return (event) => {
    const value = get(event);
    return value === null || value === undefined ? "none" : String(value);
  };
}

function harmless(value: unknown): string {
  if (typeof value !== "string") return "none";
  return JSON.stringify(value.slice(0, untrusted_length_max).replace(/[^\x20-\x7e]/g, "?"));
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(formats, name);
}
