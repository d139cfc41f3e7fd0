/** Numbers within bounds, as a grammar: digit by digit. */

import { cannot, oneOf } from "./rules.ts";

/** JSON numbers that are whole and exact. */
const whole_max = Number.MAX_SAFE_INTEGER;
/** Digits after the point; the last is not 0, so that the number lies strictly between two whole ones. */
const fraction = '"." [0-9]{0,3} [1-9]';
/** Of numbers between two whole ones that have no whole one between them. */
const fine_digits = 4;

/** @param min @param max both included */
export function wholeNumber(min: number, max: number): string {
  const low = Math.max(Math.ceil(min), -whole_max);
  const high = Math.min(Math.floor(max), whole_max);
  if (low > high) throw cannot(`wants a whole number from ${min} to ${max}, and there is none`);
  const negative = low < 0 ? [`"-" ${naturals(Math.max(1, -high), -low)}`] : [];
  const positive = high >= 0 ? [naturals(Math.max(0, low), high)] : [];
  return oneOf([...negative, ...positive]);
}

/** @param open whether the bound itself is left out */
export function anyNumber(min: number, min_open: boolean, max: number, max_open: boolean): string {
  const low = Math.max(Number.isInteger(min) && min_open ? min + 1 : Math.ceil(min), -whole_max);
  const high = Math.min(Number.isInteger(max) && max_open ? max - 1 : Math.floor(max), whole_max);
  const ways = [
    ...(low <= high ? [wholeNumber(low, high)] : []),
    ...fractions(Math.max(Math.ceil(min), -whole_max), Math.min(Math.floor(max), whole_max)),
  ];
  return oneOf(ways.length > 0 ? ways : [between(min, max)]);
}

/** Numbers with a fraction that lie between two whole ones of the range. */
function fractions(low: number, high: number): string[] {
  if (low >= high) return [];
  const above = high > 0 ? [`${naturals(Math.max(0, low), high - 1)} ${fraction}`] : [];
  const below = low < 0 ? [`"-" ${naturals(Math.max(0, -high), -low - 1)} ${fraction}`] : [];
  return [...above, ...below];
}

/** Strictly between two bounds without a whole number in the range, both on the same side of 0. */
function between(min: number, max: number): string {
  const scale = 10 ** fine_digits;
  const negative = max <= 0;
  const [near, far] = negative ? [-max, -min] : [min, max];
  const whole = Math.floor(near);
  const low = Math.floor((near - whole) * scale) + 1;
  const high = Math.min(Math.ceil((far - whole) * scale) - 1, scale - 1);
  if (low > high) throw cannot(`wants a number from ${min} to ${max}, which is too narrow`);
  return `"${negative ? "-" : ""}${whole}." (${sameLength(pad(low), pad(high))})`;
}

function pad(value: number): string {
  return String(value).padStart(fine_digits, "0");
}

/** Whole numbers from `low` to `high`, both at least 0, without a leading 0. */
function naturals(low: number, high: number): string {
  const ways: string[] = [];
  for (let digits = String(low).length; digits <= String(high).length; digits += 1) {
    const least = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1));
    const most = Math.min(high, 10 ** digits - 1);
    if (least <= most) ways.push(sameLength(String(least), String(most)));
  }
  return `(${ways.join(" | ")})`;
}

/** Digits between two numbers that have as many of them. */
function sameLength(low: string, high: string): string {
  if (low === "") return '""';
  if (/^0+$/.test(low) && /^9+$/.test(high)) return `[0-9]{${low.length}}`;
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [low_rest, high_rest] = [low.slice(1), high.slice(1)];
  if (first === last) return join(`"${first}"`, sameLength(low_rest, high_rest));
  const [zeros, nines] = ["0".repeat(low_rest.length), "9".repeat(low_rest.length)];
  const from = low_rest === zeros ? first : first + 1;
  const to = high_rest === nines ? last : last - 1;
  return oneOf([
    ...(from > first ? [join(`"${first}"`, sameLength(low_rest, nines))] : []),
    ...(from <= to ? [join(`[${from}-${to}]`, sameLength(zeros, nines))] : []),
    ...(to < last ? [join(`"${last}"`, sameLength(zeros, high_rest))] : []),
  ]);
}

function join(first: string, rest: string): string {
  return rest === '""' ? first : `${first} ${rest}`;
}
