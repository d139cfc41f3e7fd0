/** Colours, where the reader can see them. */

export type Colour = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "grey" | "bold" | "dim";
export type Paint = (colour: Colour, text: string) => string;

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  grey: [90, 39],
  bold: [1, 22],
  dim: [2, 22],
};

export const noPaint: Paint = (_, text) => text;

export const ansiPaint: Paint = (colour, text) => {
  const [on, off] = codes[colour];
  return text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`;
};

/** Colours only on a terminal, and not when NO_COLOR says anything (https://no-color.org). */
export function paintFor(is_terminal: boolean, no_color: string | undefined): Paint {
  return is_terminal && (no_color ?? "") === "" ? ansiPaint : noPaint;
}
