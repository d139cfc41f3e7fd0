/** The memory service: there whenever it is, and null while it is away. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { memory_methods, memory_notifications } from "../../contracts/memory.ts";
import type { Peer } from "../../wire/peer.ts";
import { reconnecting } from "../../wire/reconnect.ts";

export type MemoryPeer = Peer<Record<never, never>, Record<never, never>, typeof memory_methods, Record<never, never>>;
export type MemoryPort = Pick<MemoryPeer, "call">;

export interface MemoryLink {
  readonly port: MemoryPort | null;
  stop(): void;
}

interface MemoryListeners {
  readonly onEvent: (event: Event) => void;
  readonly onDecision: (decision: Decision) => void;
}

/** Connects to memory's socket at `path` again and again, and hears what is written there. */
export function linkMemory(path: string, { onEvent, onDecision }: MemoryListeners): MemoryLink {
  const link = reconnecting({
    path,
    sides: {
      serves: { methods: {}, handlers: {} },
      hears: { notifications: memory_notifications, listeners: { event: onEvent, decision: onDecision } },
      calls: memory_methods,
      tells: {},
    },
    onUp: (peer) => void peer.call("subscribe", {}).catch((error: Error) => peer.close(error.message)),
  });
  return {
    get port() {
      return link.peer;
    },
    stop: () => link.stop(),
  };
}
