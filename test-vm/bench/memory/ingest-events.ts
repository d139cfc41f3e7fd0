/** Events to write, always the same but for their time, and how they are sent. */

import type { Event } from "../../../contracts/event.ts";
import { openBootClock } from "../../../wire/boot-clock.ts";

const services = ["nginx", "postgres", "console", "broker", "sshd", "chronyd", "redis", "mail"];

export const event_sets = { repeating, distinct } as const;
export type EventSet = keyof typeof event_sets;

/** As they come in practice: few kinds of things, again and again; 400 distinct texts. */
function repeating(n: number): Event {
  return {
    ...basics(n),
    severity: n % 7 === 0 ? "error" : "info",
    kind: "service.state",
    facts: { service: services[n % 8] ?? "nginx", from: "starting", to: n % 7 === 0 ? "backoff" : "ready", reason: `attempt ${n % 50}` },
  };
}

/** The worst: every line is another text. */
function distinct(n: number): Event {
  return {
    ...basics(n),
    severity: "warning",
    kind: "kernel.log",
    facts: { priority: 4, sequence: n, at_us: n * 1000 },
    untrusted: `nf_conntrack: table ${n} full in ${services[n % 8]}, dropping packet ${n * 7919} of 10.${n % 256}.0.9`,
  };
}

/** They are of this hour: operational memory counts them too. */
const first_ms = openBootClock()();

function basics(n: number): { id: string; time_ms: number; boot_ms: number; source: string } {
  return { id: `0badcafe-init-${n}`, time_ms: 1_700_000_000_000 + n, boot_ms: first_ms + n / 100, source: "init" };
}

/** As many batches, in order. */
export function batchesOf(set: EventSet, events: number, batch: number): Event[][] {
  const eventOf = event_sets[set];
  return Array.from({ length: events / batch }, (_, at) => Array.from({ length: batch }, (_event, n) => eventOf(at * batch + n)));
}

/** Runs them in order, up to `at_once` under way. @returns milliseconds of each, from sending to the answer */
export async function sendAll<T>(items: readonly T[], at_once: number, send: (item: T) => Promise<unknown>): Promise<number[]> {
  const took_ms: number[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      const sent_ms = performance.now();
      await send(item);
      took_ms.push(performance.now() - sent_ms);
    }
  };
  await Promise.all(Array.from({ length: at_once }, sender));
  return took_ms;
}
