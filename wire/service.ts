/**
 * What every service process of ours does alike: it connects to PID 1 on its own socket, says ready when it is, sends a
 * heartbeat with its health while its event loop turns, answers `health`, and ends when PID 1 is gone or says TERM.
 */

import { readdirSync } from "node:fs";
import type { Event } from "../contracts/event.ts";
import { child_methods, child_notifications, init_methods, init_notifications } from "../contracts/init.ts";
import { callerSocket } from "../contracts/paths.ts";
import type { CoreService, Health, ResourceUse } from "../contracts/service.ts";
import type { Listeners, Peer } from "./peer.ts";
import { connectUnix } from "./unix.ts";

/** Milliseconds between heartbeats where nobody says how long PID 1 waits for one. */
const heartbeat_usual_ms = 1000;
/** Of the time for which PID 1 waits. */
const heartbeat_share = 0.25;

/** Milliseconds between heartbeats: three of them may be lost before PID 1 takes the service for hung (sd_watchdog_enabled(3)). */
function heartbeatInterval(): number {
  const limit_us = Number(process.env["WATCHDOG_USEC"]);
  return limit_us > 0 ? (limit_us / 1000) * heartbeat_share : heartbeat_usual_ms;
}

/**
 * Milliseconds in which PID 1 answers what a service asks at its start, without which it cannot go on: on a slow or small machine
 * PID 1 may be busy for many seconds then, starting the others.
 */
export const start_answer_limit_ms = 60_000;

export type InitPeer = Peer<typeof child_methods, typeof child_notifications, typeof init_methods, typeof init_notifications>;

interface ServiceOptions {
  readonly name: CoreService;
  /** The run directory, where it is not the real one. */
  readonly run?: string;
  /** The health of the moment, without the resources. Asked at each heartbeat: it has to be quick. */
  readonly health: () => Omit<Health, "resources">;
  readonly onEvent?: (event: Event) => void;
  readonly onLog?: Listeners<typeof child_notifications>["log"];
  /** Milliseconds that it waits for PID 1's answers; those of wire/peer.ts where it says nothing. */
  readonly answer_limit_ms?: number;
  /** Runs once on SIGTERM, before the process ends; PID 1 kills it after its limit. */
  readonly onStop?: () => void | Promise<void>;
}

interface RunningService {
  readonly init: InitPeer;
  /** Tells PID 1 that the service does its job from now on. */
  ready(detail: string): void;
}

/** contracts/init.ts */
const ready_chars_max = 200;

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const health = (): Health => ({ ...options.health(), resources: resourceUse() });
  const init: InitPeer = await connectUnix(callerSocket("init", options.name, options.run), {
    serves: { methods: child_methods, handlers: { health } },
    hears: {
      notifications: child_notifications,
      listeners: { event: options.onEvent ?? (() => {}), log: options.onLog ?? (() => {}) },
    },
    calls: init_methods,
    tells: init_notifications,
    onClose: () => process.exit(0),
    ...(options.answer_limit_ms === undefined ? {} : { answer_limit_ms: options.answer_limit_ms }),
  });
  const stop = async (): Promise<void> => {
    await options.onStop?.();
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop());
  setInterval(() => init.tell("heartbeat", { health: health() }), heartbeatInterval());
  return {
    init,
    ready(detail) {
      // what is wrong may need more words; the heartbeat has room for them
      init.tell("ready", { detail: detail.slice(0, ready_chars_max) });
      init.tell("heartbeat", { health: health() });
    },
  };
}

/** What this process uses (proc(5): /proc/self/fd). */
function resourceUse(): ResourceUse {
  const cpu = process.cpuUsage();
  return { rss_bytes: process.memoryUsage.rss(), cpu_ms: (cpu.user + cpu.system) / 1000, fds: openFiles() };
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}
