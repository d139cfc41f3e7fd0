/** What a long call says of itself: lines, of which those like `@progress fetching 1024 4096` are one bar that moves. */

import { plain } from "./plain.ts";
import { gauge } from "./table.ts";
import { bytes } from "./units.ts";

const pattern = /^@progress ([a-z]{1,20}) (\d{1,15}) (\d{1,15})$/;
const bar_columns = 30;

export class ProgressLine {
  readonly #out: { write(text: string): unknown };
  readonly #moves: boolean;
  #rest = "";
  #shown = false;

  /** @param moves it is a terminal: the bar is drawn over itself; else only what is said in words is shown */
  constructor(out: { write(text: string): unknown }, moves: boolean) {
    this.#out = out;
    this.#moves = moves;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#shown) this.#out.write("\n");
    this.#shown = false;
  }

  #line(line: string): void {
    const [, what, done, total] = pattern.exec(line) ?? [];
    if (what === undefined) {
      this.end();
      this.#out.write(`${plain(line)}\n`);
    } else if (this.#moves) {
      const ratio = Number(total) === 0 ? 1 : Number(done) / Number(total);
      this.#out.write(
        `\r${what} ${gauge(ratio, bar_columns)} ${bytes(Number(done))} of ${bytes(Number(total))}, ${Math.floor(ratio * 100)} %\u001b[K`,
      );
      this.#shown = true;
    }
  }
}
