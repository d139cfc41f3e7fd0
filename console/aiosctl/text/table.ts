/** Aligned columns. The last column takes what is left of the line. */

import { cut, pad } from "./plain.ts";
import { type Colour, noPaint, type Paint } from "./style.ts";

export interface Cell {
  readonly text: string;
  readonly colour?: Colour;
}

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** Columns that this one may take at most; where nothing is cut, a longer cell moves the rest of its own row only. */
  readonly width_max?: number;
}

interface TableOptions {
  readonly paint?: Paint;
  /** Columns of the terminal; none: nothing is cut. */
  readonly width?: number | undefined;
}

const gap = "  ";

export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { paint = noPaint, width }: TableOptions = {},
): string[] {
  const widths = columns.map((column, index) => {
    const widest = Math.max(Bun.stringWidth(column.title), ...rows.map((row) => Bun.stringWidth(row[index]?.text ?? "")));
    return column.width_max === undefined ? widest : Math.min(widest, column.width_max);
  });
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + gap.length, 0);
  if (width !== undefined) widths[last] = Math.max(8, Math.min(widths[last] ?? 0, width - before));
  const line = (cells: readonly Cell[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? { text: "" };
        const fitted = width === undefined ? cell.text : cut(cell.text, widths[index] ?? 0);
        const text = index === last && column.right !== true ? fitted : pad(fitted, widths[index] ?? 0, column.right);
        return cell.colour === undefined ? text : paint(cell.colour, text);
      })
      .join(gap)
      .trimEnd();
  const head = line(columns.map((column) => ({ text: column.title, colour: "dim" as const })));
  return [head, ...rows.map(line)];
}

/** `name  value` pairs with the names aligned. */
export function pairs(rows: readonly (readonly [string, Cell])[], paint: Paint = noPaint): string[] {
  const widest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(
    ([name, cell]) => `${paint("dim", pad(name, widest))}${gap}${cell.colour === undefined ? cell.text : paint(cell.colour, cell.text)}`,
  );
}

/** A bar of `width` columns from `start` to `end`, both 0 to 1. */
export function bar(start: number, end: number, width: number): string {
  const from = Math.min(width - 1, Math.max(0, Math.floor(start * width)));
  const until = Math.min(width, Math.max(from + 1, Math.round(end * width)));
  return " ".repeat(from) + "█".repeat(until - from) + " ".repeat(width - until);
}

/** How full: `█████▒▒▒▒▒`. */
export function gauge(ratio: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}
