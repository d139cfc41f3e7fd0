/** A connection that is made again whenever it is lost, with a backoff that grows and is jittered. */

import type { Methods, Notifications } from "../contracts/rpc.ts";
import type { Peer, PeerSides } from "./peer.ts";
import { connectUnix } from "./unix.ts";

const first_wait_ms = 50;
const wait_ms_max = 5000;

interface Reconnecting<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications> {
  /** The peer of the moment, or null while there is none. */
  readonly peer: Peer<S, H, C, T> | null;
  /** Why there is none, for people. */
  readonly why: string;
  stop(): void;
}

interface ReconnectOptions<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications> {
  readonly path: string;
  readonly sides: PeerSides<S, H, C, T>;
  readonly onUp?: (peer: Peer<S, H, C, T>) => void;
  readonly onDown?: (reason: string) => void;
  readonly random?: () => number;
}

/** Half of the doubled wait is certain, half is chance: many services that lose the same server do not return at once. */
export function waitBeforeTry_ms(tries: number, random: () => number): number {
  const whole = Math.min(wait_ms_max, first_wait_ms * 2 ** Math.min(tries, 16));
  return whole / 2 + (whole / 2) * random();
}

export function reconnecting<S extends Methods, H extends Notifications, C extends Methods, T extends Notifications>(
  options: ReconnectOptions<S, H, C, T>,
): Reconnecting<S, H, C, T> {
  const random = options.random ?? Math.random;
  let peer: Peer<S, H, C, T> | null = null;
  let why = "not connected yet";
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = false;

  const later = (reason: string): void => {
    why = reason;
    if (stopped) return;
    timer = setTimeout(() => void open(), waitBeforeTry_ms(tries, random));
    tries += 1;
  };
  const lost = (reason: string): void => {
    peer = null;
    options.sides.onClose?.(reason);
    options.onDown?.(reason);
    later(reason);
  };
  const open = async (): Promise<void> => {
    try {
      const opened = await connectUnix(options.path, { ...options.sides, onClose: lost });
      if (opened.closed) return;
      if (stopped) return opened.close("stopped");
      peer = opened;
      tries = 0;
      options.onUp?.(opened);
    } catch (error) {
      later(error instanceof Error ? error.message : String(error));
    }
  };
  void open();
  return {
    get peer() {
      return peer;
    },
    get why() {
      return why;
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      peer?.close("stopped");
    },
  };
}
