/** The log hub of PID 1: what services write and what the kernel says, the newest of it held in memory. */

import type { LogRecord } from "../contracts/event.ts";
import type { EventClock, Unsubscribe } from "./events.ts";
import { jsonBytes, Ring } from "./ring.ts";

const records_max = 5000;
const bytes_max = 2 * 1024 * 1024;
const subscribers_max = 64;
const message_chars_max = 8192;

export type Entry = Pick<LogRecord, "service" | "stream" | "level" | "message" | "fields">;

export class LogHub {
  readonly #ring = new Ring<LogRecord>(records_max, bytes_max, weigh);
  readonly #subscribers = new Set<(record: LogRecord) => void>();
  readonly #clock: EventClock;
  #sequence = 0;

  constructor(clock: EventClock) {
    this.#clock = clock;
  }

  add(entry: Entry): void {
    this.#sequence += 1;
    const message = printable(entry.message).slice(0, message_chars_max);
    const record: LogRecord = { seq: this.#sequence, time_ms: this.#clock.wall(), boot_ms: this.#clock.boot(), ...entry, message };
    this.#ring.push(record);
    for (const tell of [...this.#subscribers]) {
      try {
        tell(record);
      } catch {
        this.#subscribers.delete(tell); // one that cannot be told must not keep the others from hearing
      }
    }
  }

  /** The newest, oldest first; of one service when it is named. */
  last(count: number, service: string | null): LogRecord[] {
    if (count === 0) return [];
    const held = this.#ring.all();
    return (service === null ? held : held.filter((record) => record.service === service)).slice(-count);
  }

  /** @throws when there are too many */
  subscribe(tell: (record: LogRecord) => void): Unsubscribe {
    if (this.#subscribers.size >= subscribers_max) throw new Error(`subscribing to logs failed: ${subscribers_max} do so already`);
    this.#subscribers.add(tell);
    return () => void this.#subscribers.delete(tell);
  }
}

/** About what it takes on a socket: whoever asks for all that is held must be able to read it (wire/outbox.ts). */
function weigh({ message, fields }: LogRecord): number {
  return 200 + jsonBytes(message) + (fields === undefined ? 0 : jsonBytes(fields));
}

/** Without colours; what cannot be printed is U+FFFD, which JSON does not write as six bytes. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return Bun.stripANSI(text).replaceAll(/[\0-\x08\x0a-\x1f\x7f]/g, "\ufffd");
}
