/** JSON strings as a grammar: by their length, by the pattern that a schema names, or by a format. */

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import type { Json } from "../../../../contracts/model/chat.ts";
import { type CharacterRange, characters, setOf } from "./characters.ts";
import { cannot, literal, repeated } from "./rules.ts";

/** Characters that are counted: beyond, any number may come, and the answer is checked. */
const counted_max = 256;
const any_character = characters([[0x20, 0x10ffff]]);

/** Formats that come without a pattern, by one. */
const formats: Readonly<Record<string, string>> = {
  date: "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
  time: "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
  "date-time": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
  ipv4: "^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$",
  uuid: "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
};

/** With its quotes. */
export function stringRule(schema: Readonly<Record<string, Json>>): string {
  const [min, max] = [schema["minLength"], schema["maxLength"]].map((one) => (typeof one === "number" ? one : null));
  if ((min ?? 0) > counted_max) throw cannot(`has a "minLength" above ${counted_max}`);
  const named = typeof schema["format"] === "string" ? formats[schema["format"]] : undefined;
  const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : named;
  const quote = literal('"');
  const counted = max === undefined || max === null || max > counted_max ? null : max;
  if (pattern === undefined) return `${quote} ${repeated(any_character, min ?? 0, counted)} ${quote}`;
  return `${quote} ${new PatternGrammar(min ?? 0, counted).of(pattern)} ${quote}`;
}

/**
 * Of a regular expression. What looks ahead or behind is passed over, for it can only forbid: an answer that it forbids is found
 * by the check. So is one that is too long or too short where more than one part of the pattern has no end.
 */
class PatternGrammar {
  readonly #min: number;
  readonly #max: number | null;

  constructor(min: number, max: number | null) {
    this.#min = min;
    this.#max = max;
  }

  of(pattern: string): string {
    let read: AST.Pattern;
    try {
      read = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(pattern, 0, pattern.length, { unicode: true });
    } catch (error) {
      throw cannot(`has the pattern "${pattern.slice(0, 100)}", which is none: ${error instanceof Error ? error.message : String(error)}`);
    }
    return this.#choices(read.alternatives, true);
  }

  #choices(alternatives: readonly AST.Alternative[], outermost: boolean): string {
    return `(${alternatives.map((one) => this.#sequence(one.elements, outermost)).join(" | ")})`;
  }

  /** Without `^` or `$` anything may stand before or after. */
  #sequence(elements: readonly AST.Element[], outermost: boolean): string {
    const lengths = elements.map(shortest);
    const total = lengths.reduce((sum, one) => sum + one, 0);
    const written = elements.map((one, at) => this.#element(one, total - (lengths[at] ?? 0)));
    const anchored = (kind: "start" | "end"): boolean => elements.some((one) => one.type === "Assertion" && one.kind === kind);
    if (!outermost) return written.filter((one) => one !== "").join(" ") || '""';
    const room = this.#max === null ? null : Math.max(0, this.#max - total);
    const loose = repeated(any_character, 0, room);
    return [anchored("start") ? "" : loose, ...written, anchored("end") ? "" : loose].filter((one) => one !== "").join(" ") || '""';
  }

  /** @param others the least number of characters that the rest of the sequence has */
  #element(element: AST.Element, others: number): string {
    switch (element.type) {
      case "Assertion":
        return "";
      case "Quantifier": {
        const { min, max } = element;
        const one = this.#element(element.element, 0);
        if (one === "") return "";
        const unit = Math.max(1, shortest(element.element));
        const at_most = this.#max === null ? max : Math.max(min, Math.min(max, Math.floor((this.#max - others) / unit)));
        const at_least = Number.isFinite(max) || others > 0 ? min : Math.max(min, Math.ceil(this.#min / unit));
        return repeated(one, at_least, Number.isFinite(at_most) && at_most <= counted_max ? at_most : null);
      }
      case "Group":
      case "CapturingGroup":
        return this.#choices(element.alternatives, false);
      case "Character":
        return characters([[element.value, element.value]]);
      case "CharacterSet":
      case "CharacterClass":
        return characters(rangesOf(element));
      default:
        throw cannot(`has a pattern with "${element.raw.slice(0, 40)}"`);
    }
  }
}

function rangesOf(element: AST.CharacterSet | AST.CharacterClass | AST.UnicodeSetsCharacterClass): CharacterRange[] {
  try {
    return setOf(element);
  } catch {
    throw cannot(`has a pattern with "${element.raw.slice(0, 40)}"`);
  }
}

/** Characters that it has at least. */
function shortest(element: AST.Element): number {
  const of = (alternatives: readonly AST.Alternative[]): number =>
    Math.min(...alternatives.map((one) => one.elements.reduce((sum, part) => sum + shortest(part), 0)));
  switch (element.type) {
    case "Assertion":
    case "Backreference":
      return 0;
    case "Quantifier":
      return element.min * shortest(element.element);
    case "Group":
    case "CapturingGroup":
      return of(element.alternatives);
    default:
      return 1;
  }
}
