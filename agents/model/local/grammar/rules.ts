/** Rules of a grammar in GBNF, and what its expressions are made of. */

import { ChatError } from "../../port.ts";

/** What a grammar may have; one that is larger costs more than it is worth. */
const rules_max = 4000;

export class Rules {
  readonly #rules = new Map<string, string>();

  define(name: string, expression: string): string {
    if (this.#rules.size >= rules_max) throw cannot("is too large for a grammar");
    this.#rules.set(name, expression);
    return name;
  }

  has(name: string): boolean {
    return this.#rules.has(name);
  }

  text(): string {
    return [...this.#rules].map(([name, expression]) => `${name} ::= ${expression}\n`).join("");
  }
}

/** Text as it is. */
export function literal(text: string): string {
  const escaped = text.replace(/[\\"\n\r\t]/g, (one) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[one] ?? `\\${one}`);
  return `"${escaped}"`;
}

export function oneOf(expressions: readonly string[]): string {
  const [only] = expressions;
  return expressions.length === 1 && only !== undefined ? only : `(${expressions.join(" | ")})`;
}

/** @param max null: any number of times */
export function repeated(expression: string, min: number, max: number | null): string {
  if (max === null) return min === 0 ? `(${expression})*` : `(${expression}){${min},}`;
  return max === 0 ? '""' : `(${expression}){${min},${max}}`;
}

/** The request cannot be met as it is. */
export function cannot(what: string): ChatError {
  return new ChatError("rejected", `making a grammar of the schema failed: the schema ${what}; say it in another way, or leave it out`);
}
