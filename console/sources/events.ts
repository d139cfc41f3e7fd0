/** The events that this process has seen since it started: from PID 1, and through memory from everyone else. */

import type { Event } from "../../contracts/event.ts";
import { Hub } from "./hub.ts";

/** Events held for the time when memory is away, and to know those that come twice. */
const held_max = 2000;

export interface EventFilter {
  readonly kind?: string | undefined;
  readonly service?: string | undefined;
}

export class EventLog {
  readonly hub = new Hub<Event>();
  readonly #held = new Map<string, Event>();

  /** Takes an event once, whoever brings it. */
  take(event: Event): void {
    if (this.#held.has(event.id)) return;
    this.#held.set(event.id, event);
    if (this.#held.size > held_max) {
      const oldest = this.#held.keys().next();
      if (oldest.done !== true) this.#held.delete(oldest.value);
    }
    this.hub.publish(event);
  }

  get(id: string): Event | undefined {
    return this.#held.get(id);
  }

  newest(limit: number, filter: EventFilter): Event[] {
    return [...this.#held.values()].filter((event) => matches(event, filter)).slice(-limit);
  }

  /** Events around one of them, oldest first. */
  around(id: string, each_side: number): Event[] {
    const all = [...this.#held.values()];
    const at = all.findIndex((event) => event.id === id);
    return at < 0 ? [] : all.slice(Math.max(0, at - each_side), at + each_side + 1);
  }
}

export function matches(event: Event, filter: EventFilter): boolean {
  if (filter.kind !== undefined && event.kind !== filter.kind) return false;
  return filter.service === undefined || ("service" in event.facts && event.facts.service === filter.service);
}
