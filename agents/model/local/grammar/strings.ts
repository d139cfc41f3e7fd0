/** JSON strings as a grammar: by their length, by the pattern that a schema names, or by a format. */

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import type { Json } from "../../../../contracts/model/chat.ts";
import { type CharacterRange, characters, setOf } from "./characters.ts";
import { cannot, literal, oneOf, repeated } from "./rules.ts";

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
 * by the check. So is one that is too short where more than one part of the pattern can grow. None is too long: every part has a
 * share of the room for itself, for which some answers that would fit cannot be given.
 */
class PatternGrammar {
  readonly #min: number;
  readonly #max: number;

  constructor(min: number, max: number | null) {
    this.#min = min;
    this.#max = max ?? Number.POSITIVE_INFINITY;
  }

  of(pattern: string): string {
    let read: AST.Pattern;
    try {
      read = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(pattern, 0, pattern.length, { unicode: true });
    } catch (error) {
      throw cannot(`has the pattern "${pattern.slice(0, 100)}", which is none: ${error instanceof Error ? error.message : String(error)}`);
    }
    return oneOf(read.alternatives.map((one) => this.#whole(one.elements)));
  }

  /** Without `^` or `$` anything may stand before or after. */
  #whole(elements: readonly AST.Element[]): string {
    const anchored = (kind: "start" | "end"): boolean => elements.some((one) => one.type === "Assertion" && one.kind === kind);
    const [start, end] = [anchored("start") ? none : anything, anchored("end") ? none : anything];
    const extents = elements.map(extentOf);
    const [before = 0, after = 0, ...rooms] = shares(this.#max, [start, end, ...extents]);
    const least = extents.reduce((sum, one) => sum + one.least, 0);
    const parts = elements.map((one, at) =>
      this.#element(one, rooms[at] ?? 0, extents[at]?.least === least && start === none && end === none ? this.#min : 0),
    );
    return inTurn([repeated(any_character, 0, countable(before)), ...parts, repeated(any_character, 0, countable(after))]);
  }

  #sequence(elements: readonly AST.Element[], room: number): string {
    const rooms = shares(room, elements.map(extentOf));
    return inTurn(elements.map((one, at) => this.#element(one, rooms[at] ?? 0, 0)));
  }

  /** @param room characters that it may have at most @param wanted that it should have at least, as far as it can grow for ever */
  #element(element: AST.Element, room: number, wanted: number): string {
    switch (element.type) {
      case "Assertion":
        return empty;
      case "Quantifier": {
        const { min, max } = element;
        const unit = extentOf(element.element);
        if (unit.most === 0) return empty;
        const times = Math.max(min, timesWithin(room, max, unit));
        if (times === 0) return empty;
        const at_least = Number.isFinite(max) ? min : Math.max(min, Math.ceil(wanted / Math.max(1, unit.least)));
        return repeated(this.#element(element.element, room / times, 0), Math.min(at_least, times), countable(times));
      }
      case "Group":
      case "CapturingGroup":
        return oneOf(element.alternatives.map((one) => this.#sequence(one.elements, room)));
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

const empty = '""';

function inTurn(parts: readonly string[]): string {
  return parts.filter((one) => one !== empty).join(" ") || empty;
}

function countable(times: number): number | null {
  return times <= counted_max ? Math.floor(times) : null;
}

/** How often a part fits, when each time has the same room; a part that can grow is given room to. */
function timesWithin(room: number, max: number, { least, most }: Extent): number {
  if (max * most <= room || room === Number.POSITIVE_INFINITY) return max;
  const times = least === most ? room / least : Math.sqrt(room / Math.max(1, least));
  return Math.min(max, Math.floor(times));
}

/** Room for each: what it has at least, then what it can still grow by, the least first and all alike at most. */
function shares(room: number, extents: readonly Extent[]): number[] {
  let left = room - extents.reduce((sum, one) => sum + one.least, 0);
  const rooms = extents.map(({ least }) => least);
  const growing = extents.map(({ least, most }, at) => ({ at, by: most - least })).filter(({ by }) => by > 0);
  growing.sort((a, b) => (a.by === b.by ? 0 : a.by - b.by));
  for (const [done, { at, by }] of growing.entries()) {
    const more = Math.max(0, Math.min(by, left === Number.POSITIVE_INFINITY ? left : Math.floor(left / (growing.length - done))));
    rooms[at] = (rooms[at] ?? 0) + more;
    if (left !== Number.POSITIVE_INFINITY) left -= more;
  }
  return rooms;
}

function rangesOf(element: AST.CharacterSet | AST.CharacterClass | AST.UnicodeSetsCharacterClass): CharacterRange[] {
  try {
    return setOf(element);
  } catch {
    throw cannot(`has a pattern with "${element.raw.slice(0, 40)}"`);
  }
}

/** Characters that a part has, at least and at most. */
interface Extent {
  readonly least: number;
  readonly most: number;
}

const none: Extent = { least: 0, most: 0 };
const anything: Extent = { least: 0, most: Number.POSITIVE_INFINITY };

function extentOf(element: AST.Element): Extent {
  switch (element.type) {
    case "Assertion":
    case "Backreference":
      return none;
    case "Quantifier": {
      const { least, most } = extentOf(element.element);
      return { least: element.min * least, most: most === 0 ? 0 : element.max * most };
    }
    case "Group":
    case "CapturingGroup": {
      const sums = element.alternatives.map((one) => one.elements.map(extentOf));
      const total = (of: keyof Extent): number[] => sums.map((all) => all.reduce((sum, one) => sum + one[of], 0));
      return { least: Math.min(...total("least")), most: Math.max(...total("most")) };
    }
    default:
      return { least: 1, most: 1 };
  }
}
