/** Bytes on their way to the other side: what the kernel does not take yet is held, up to a limit, so that nobody waits. */

import type { Link } from "./peer.ts";

/** The part of a socket that is used here. */
export interface Out {
  write(bytes: Uint8Array): number;
  end(): unknown;
}

/** A side that reads this much too slowly is cut off: it may connect again, and ask for what it missed. */
const held_bytes_max = 8 * 1024 * 1024;

export class Outbox implements Link {
  readonly #socket: Out;
  #held: Uint8Array[] = [];
  #held_bytes = 0;

  constructor(socket: Out) {
    this.#socket = socket;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#held_bytes > 0) return this.#hold(bytes);
    const written = this.#socket.write(bytes);
    if (written < 0) return false;
    return written === bytes.length || this.#hold(bytes.subarray(written));
  }

  drain(): void {
    while (this.#held.length > 0) {
      const first = this.#held[0] as Uint8Array;
      const written = this.#socket.write(first);
      if (written <= 0) return;
      this.#held_bytes -= written;
      if (written < first.length) {
        this.#held[0] = first.subarray(written);
        return;
      }
      this.#held.shift();
    }
  }

  close(): void {
    this.#held = [];
    this.#held_bytes = 0;
    this.#socket.end();
  }

  #hold(bytes: Uint8Array): boolean {
    if (this.#held_bytes + bytes.length > held_bytes_max) return false;
    this.#held.push(Uint8Array.from(bytes));
    this.#held_bytes += bytes.length;
    return true;
  }
}
