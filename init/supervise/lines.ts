/** Cuts a byte stream into lines, each capped: what a service writes is never held longer than one line. */

/** Characters of one line that are kept (contracts/event.ts: LogRecord.message). */
export const line_chars_max = 8000;

export interface Line {
  readonly text: string;
  /** Characters that were cut off. */
  readonly cut: number;
}

export class LineCutter {
  readonly #decoder = new TextDecoder();
  #held = "";
  #cut = 0;

  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    const parts = this.#decoder.decode(chunk, { stream: true }).split("\n");
    for (let at = 0; at < parts.length; at += 1) {
      this.#add(parts[at] ?? "");
      if (at < parts.length - 1) lines.push(this.#take());
    }
    return lines;
  }

  /** The last line, when it did not end. */
  end(): Line | null {
    this.#add(this.#decoder.decode());
    return this.#held === "" ? null : this.#take();
  }

  #add(text: string): void {
    const room = line_chars_max - this.#held.length;
    this.#held += text.slice(0, room);
    this.#cut += Math.max(0, text.length - room);
  }

  #take(): Line {
    const line = { text: this.#held.endsWith("\r") ? this.#held.slice(0, -1) : this.#held, cut: this.#cut };
    this.#held = "";
    this.#cut = 0;
    return line;
  }
}
