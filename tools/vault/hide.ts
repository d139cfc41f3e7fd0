/**
 * Takes a value out of what a program or host answers, in the forms in which it may come back by itself: as it is, as JSON or
 * a URL has it, in base64 and hexadecimal. It is no border: who chooses the program could have it turned around. To whom a
 * value is handed at all is the owner's to say (`use.ts`).
 */

const hidden = "[secret]";
/** Shorter values would take whole texts apart. */
const chars_min = 4;

function forms(value: Uint8Array): string[] {
  const bytes = Buffer.from(value);
  const text = bytes.toString("utf8");
  const whole = [bytes.toString("latin1"), text, text.trim(), JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())];
  const unaligned = [0, 1, 2].flatMap((shift) => base64At(bytes, shift));
  return [...new Set([...whole, ...unaligned, bytes.toString("hex"), bytes.toString("hex").toUpperCase()])]
    .filter(({ length }) => length >= chars_min)
    .sort((a, b) => b.length - a.length);
}

/** The part of base64 that is the same whatever stands before and after: at this place in the groups of three. */
function base64At(bytes: Buffer, shift: number): string[] {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const inner = text.slice(shift === 0 ? 0 : shift + 1, (shift + bytes.length) % 3 === 0 ? undefined : -1);
  return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
}

export function hide(text: string, values: readonly Uint8Array[]): string {
  let left = text;
  for (const form of values.flatMap(forms)) left = left.replaceAll(form, hidden);
  return left;
}

/** @returns the bytes as they are when none of the values is in them */
export function hideInBytes(bytes: Uint8Array, values: readonly Uint8Array[]): Uint8Array {
  if (values.length === 0) return bytes;
  const text = Buffer.from(bytes).toString("latin1");
  const left = hide(
    text,
    values.map((value) => Buffer.from(value)),
  );
  return left === text ? bytes : Buffer.from(left, "latin1");
}
