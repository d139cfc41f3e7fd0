/** Text that came from outside, made harmless for a terminal: nothing in it moves the cursor or turns the line round. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be shown instead of obeyed
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function plain(text: string): string {
  return text.replace(unsafe, (character) => {
    if (character === "\t") return " ";
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `<${code.toString(16)}>`;
  });
}

/** At most `width` columns; what was cut off shows as …. */
export function cut(text: string, width: number): string {
  if (width <= 0) return "";
  if (Bun.stringWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    const wide = Bun.stringWidth(character);
    if (used + wide > width - 1) break;
    kept += character;
    used += wide;
  }
  return `${kept}…`;
}

export function pad(text: string, width: number, right = false): string {
  const gap = " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
  return right ? gap + text : text + gap;
}
