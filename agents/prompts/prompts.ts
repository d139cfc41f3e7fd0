/**
 * Prompts, filled in. Text of whatever origin becomes a JSON string of printable ASCII: it cannot end its quotes, begin a line,
 * hide characters or run from right to left. It cannot become a special token of the model either: that is the back end's
 * (agents/model/local/tokens.ts).
 */

import { Prompt } from "../../contracts/prompt.ts";
import { issuesText } from "../../wire/issues.ts";
import { type Loaded, loadEach } from "../shared/load-data.ts";
import { bundled_prompts } from "./index.ts";

const place = /\{([a-z][a-z0-9_]*)\}/g;
/** What words of ours are made of: no quotes, so that nothing of them looks like data or ends it. */
const ours = /^[\x20-\x21\x23-\x7e\n]*$/;

export interface Filled {
  readonly system: string;
  readonly question: string;
}

export function loadPrompts(sources: Readonly<Record<string, unknown>> = bundled_prompts): Loaded<Prompt> {
  return loadEach("prompt", sources, (source) => {
    const parsed = Prompt.safeParse(source);
    if (!parsed.success) throw new Error(issuesText(parsed.error));
    const prompt = parsed.data;
    const named = new Set([...`${prompt.system}${prompt.question}`.matchAll(place)].map(([, name = ""]) => name));
    const declared = Object.keys(prompt.places);
    const wrong = [...declared.filter((name) => !named.has(name)), ...[...named].filter((name) => !declared.includes(name))];
    if (wrong.length > 0) throw new Error(`its text and its places differ in ${wrong.join(", ")}`);
    for (const [, name = ""] of prompt.system.matchAll(place))
      if (prompt.places[name] === "data") throw new Error(`"${name}" is data and stands in the system prompt, which is to stay the same`);
    for (const { name, given, options, right, right_json } of prompt.cases) {
      const unknown = right.filter((one) => !options.includes(one));
      if (unknown.length > 0) throw new Error(`of its case "${name}" what is right is no option: ${unknown.join(", ")}`);
      if (right_json !== null && prompt.answer === "choice") throw new Error(`of its case "${name}" JSON is right, and it is a choice`);
      const missing = declared.filter((one) => given[one] === undefined);
      if (missing.length > 0) throw new Error(`its case "${name}" does not give ${missing.join(", ")}`);
    }
    return prompt;
  });
}

/** @throws when a value is missing, or words of ours hold what they must not */
export function fill(prompt: Prompt, given: Readonly<Record<string, string>>): Filled {
  const textFor = (name: string): string => {
    const value = given[name];
    if (value === undefined) throw new Error(`filling in the prompt "${prompt.name}" failed: there is no "${name}"`);
    // each token that a small model reads is three milliseconds: where there is no data it reads no quotes either
    if (prompt.places[name] === "data") return value === "" ? "" : quoted(value, prompt.data_chars_max);
    if (!ours.test(value)) throw new Error(`filling in the prompt "${prompt.name}" failed: "${name}" holds characters that are not ours`);
    return value;
  };
  const filled = (text: string): string => text.replace(place, (_, name: string) => textFor(name)).trim();
  return { system: filled(prompt.system), question: filled(prompt.question) };
}

/** A JSON string in printable ASCII: what is beyond that is escaped, as RFC 8259 allows. */
export function quoted(text: string, chars_max: number): string {
  const short = text.length > chars_max ? `${text.slice(0, chars_max - 1)}…` : text;
  return JSON.stringify(short).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Words that a description of ours is made of: what is not ours in it is left out. */
export function asOurs(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x7e]+/g, " ").trim();
}

/** @throws when there is none of this name: the program was built without it */
export function promptNamed(name: string): Prompt {
  const { loaded, refused } = loadPrompts();
  const found = loaded.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no prompt "${name}"${refused.map((sentence) => `; ${sentence}`).join("")}`);
  return found;
}
