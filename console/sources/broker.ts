/** The broker: there whenever it is, and null while it is away. */

import { broker_methods, broker_notifications } from "../../contracts/broker.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import type { Peer } from "../../wire/peer.ts";
import { reconnecting } from "../../wire/reconnect.ts";
import { connectUnix } from "../../wire/unix.ts";

export type BrokerPeer = Peer<Record<never, never>, Record<never, never>, typeof broker_methods, Record<never, never>>;
export type BrokerPort = Pick<BrokerPeer, "call">;

interface FollowListeners {
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
  readonly onEnded: (outcome: CallOutcome) => void;
}

export interface BrokerLink {
  readonly port: BrokerPort | null;
  /** Why there is none, for people. */
  readonly why: string;
  /** On a connection of its own, so that two who follow the same call do not hear everything twice. @returns what ends it */
  follow(call: string, person: Person, listeners: FollowListeners): Promise<() => void>;
  stop(): void;
}

/** For whom the console speaks. */
export interface Person {
  readonly name: string;
  readonly role: "observer" | "operator" | "admin";
}

/** Connects to the broker's socket at `path` again and again. */
export function linkBroker(path: string): BrokerLink {
  const nothing = { serves: { methods: {}, handlers: {} }, tells: {} };
  const link = reconnecting({
    path,
    sides: { ...nothing, hears: { notifications: {}, listeners: {} }, calls: broker_methods },
  });
  return {
    get port() {
      return link.peer;
    },
    get why() {
      return link.why;
    },
    async follow(call, person, { onOutput, onEnded }) {
      const peer = await connectUnix(path, {
        ...nothing,
        hears: {
          notifications: broker_notifications,
          listeners: {
            "call.output": ({ stream, text }) => onOutput(stream, text),
            "call.ended": ({ outcome }) => onEnded(outcome),
          },
        },
        calls: broker_methods,
      });
      try {
        await peer.call("calls/follow", { call, person });
      } catch (error) {
        peer.close("the call cannot be followed");
        throw error;
      }
      return () => peer.close("nobody follows any more");
    },
    stop: () => link.stop(),
  };
}
