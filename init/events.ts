/** The event hub of PID 1: makes events, keeps the newest, and passes them on to those who subscribed. */

import { shortBootId } from "../contracts/boot-id.ts";
import type { Event, EventKind, EventOf, Facts, Severity } from "../contracts/event.ts";
import { jsonBytes, Ring } from "./ring.ts";

const events_max = 4096;
const bytes_max = 2 * 1024 * 1024;
const untrusted_chars_max = 4096;
const subscribers_max = 64;

export type Unsubscribe = () => void;

export interface EventClock {
  /** Wall clock and boot clock, milliseconds. */
  wall(): number;
  boot(): number;
}

export class EventHub {
  readonly #ring = new Ring<Event>(events_max, bytes_max, (event) => 200 + jsonBytes(event.untrusted ?? ""));
  readonly #subscribers = new Set<(event: Event) => void>();
  readonly #clock: EventClock;
  readonly #boot_id: () => string;
  #sequence = 0;

  /** @param boot_id the kernel's boot id; asked at each event, since it is read during boot */
  constructor(clock: EventClock, boot_id: () => string) {
    this.#clock = clock;
    this.#boot_id = boot_id;
  }

  emit<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>, untrusted?: string): void {
    this.#sequence += 1;
    const event = {
      id: `${shortBootId(this.#boot_id())}-init-${this.#sequence}`,
      time_ms: this.#clock.wall(),
      boot_ms: this.#clock.boot(),
      source: "init",
      severity,
      kind,
      facts,
      ...(untrusted === undefined ? {} : { untrusted: untrusted.slice(0, untrusted_chars_max) }),
    } as EventOf<K>; // the kind and its facts are one parameter: the union cannot be told so
    this.#ring.push(event);
    for (const tell of [...this.#subscribers]) {
      try {
        tell(event);
      } catch {
        this.#subscribers.delete(tell); // one that cannot be told must not keep the others from hearing
      }
    }
  }

  /** Those held that came after the event with this id; all when it is null, or not held (any more). */
  after(id: string | null): Event[] {
    const held = this.#ring.all();
    const at = id === null ? -1 : held.findIndex((event) => event.id === id);
    return held.slice(at + 1);
  }

  /** @throws when there are too many */
  subscribe(tell: (event: Event) => void): Unsubscribe {
    if (this.#subscribers.size >= subscribers_max) throw new Error(`subscribing to events failed: ${subscribers_max} do so already`);
    this.#subscribers.add(tell);
    return () => void this.#subscribers.delete(tell);
  }
}
