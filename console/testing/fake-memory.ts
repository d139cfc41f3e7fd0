/** The memory service as the console sees it. */

import { mkdirSync } from "node:fs";
import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { history_methods } from "../../contracts/memory/history.ts";
import { memory_notifications } from "../../contracts/memory.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import type { Peer } from "../../wire/peer.ts";
import { listenUnix } from "../../wire/unix.ts";

type Side = Peer<typeof history_methods, Record<never, never>, Record<never, never>, typeof memory_notifications>;

export interface FakeMemory {
  readonly events: Event[];
  readonly decisions: Decision[];
  readonly subscribers: Set<Side>;
  writeEvent(event: Event): void;
  writeDecision(decision: Decision): void;
  close(): void;
}

export function startFakeMemory(run: string, events: readonly Event[] = [], decisions: readonly Decision[] = []): FakeMemory {
  mkdirSync(callerSocketFolder("memory", "console", run), { recursive: true });
  const held = { events: [...events], decisions: [...decisions] };
  const subscribers = new Set<Side>();
  const listening = listenUnix<typeof history_methods, Record<never, never>, Record<never, never>, typeof memory_notifications>(
    callerSocket("memory", "console", run),
    0o660,
    (peer) => ({
      serves: {
        methods: history_methods,
        handlers: {
          "events.append": () => ({ written: 0 }),
          "decisions.append": () => ({ written: 0 }),
          "events.list": ({ limit, kind, service }) =>
            held.events
              .filter(
                (one) =>
                  (kind === null || one.kind === kind) && (service === null || ("service" in one.facts && one.facts.service === service)),
              )
              .slice(-limit),
          "alarms.standing": () => [],
          "decisions.list": ({ limit }) => held.decisions.slice(-limit),
          "decisions.get": () => [],
          why: ({ id }) => {
            const event = held.events.find((one) => one.id === id) ?? held.decisions.find((one) => one.id === id)?.trigger;
            if (event === undefined) return null;
            return {
              id,
              goal: null,
              event,
              incidents: [],
              memories: [],
              decisions: held.decisions.filter((one) => one.trigger.id === event.id),
              around: held.events,
            };
          },
          subscribe: () => {
            subscribers.add(peer());
            return {};
          },
          counts: () => ({ events: held.events.length, decisions: held.decisions.length, bytes: 4096, persistent: true }),
        },
      },
      hears: { notifications: {}, listeners: {} },
      calls: {},
      tells: memory_notifications,
    }),
  );
  return {
    ...held,
    subscribers,
    writeEvent(event) {
      held.events.push(event);
      for (const one of subscribers) one.tell("event", event);
    },
    writeDecision(decision) {
      held.decisions.push(decision);
      for (const one of subscribers) one.tell("decision", decision);
    },
    close: () => listening.close(),
  };
}
