/** PID 1's side of the child protocol in a temporary folder, for tests of services. */

import { mkdirSync } from "node:fs";
import type { z } from "zod";
import type { Event } from "../../contracts/event.ts";
import { child_methods, child_notifications, init_methods, init_notifications } from "../../contracts/init.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import type { CoreService, Health, ServiceStatus } from "../../contracts/service.ts";
import type { Handlers, Peer } from "../peer.ts";
import { RpcError } from "../peer.ts";
import { type Listening, listenUnix } from "../unix.ts";

export type ChildPeer = Peer<typeof init_methods, typeof init_notifications, typeof child_methods, typeof child_notifications>;
type InitHandlers = Handlers<typeof init_methods>;

export interface FakeInit {
  readonly run: string;
  /** What the child said with `ready`, in order. */
  readonly ready: string[];
  readonly healths: Health[];
  /** Requests that arrived: method and parameters. */
  readonly calls: { method: string; params: unknown }[];
  /** Events that a new subscriber gets first. */
  readonly held: Event[];
  child: ChildPeer | null;
  /** Replaces the answer to a request. */
  readonly answers: Partial<InitHandlers>;
  emit(event: Event): void;
  until(what: string, condition: () => boolean, limit_ms?: number): Promise<void>;
  close(): void;
}

export const status_of_ready: ServiceStatus = {
  name: "memory",
  state: "ready",
  pid: 100,
  since_ms: 1000,
  restarts: 1,
  ready_after_ms: 42,
  last_exit: null,
  status_text: null,
  health: null,
  reason: "it said ready",
};

export const system_status: z.infer<(typeof init_methods)["system.status"]["result"]> = {
  state: "running",
  hostname: "test",
  machine_id: "0".repeat(32),
  boot_id: "0badcafe-0000-4000-8000-000000000000",
  version: "0",
  kernel: "6.12",
  mode: "container",
  uptime_ms: 1000,
  time_ms: 1_700_000_000_000,
  degradations: [],
  clock: { from: "by the battery clock", servers: [], synchronised: false, error_ms: null },
  config: { from: "the defaults", next: null },
  data: { persistent: true, mount: "/var/lib/aios", detail: "", used_bytes: 10e6, size_bytes: 100e6, inodes_used: 100, inodes: 10_000 },
  watchdog: { device: null, timeout_s: null, petted_ms_ago: null },
};

const nothing = { usd: 0, tokens: 0 };

export function startFakeInit(run: string, service: CoreService): FakeInit {
  const subscribers = new Set<ChildPeer>();
  const answer = <K extends keyof InitHandlers>(method: K, fallback: InitHandlers[K]): InitHandlers[K] => {
    const handler = (params: never) => {
      fake.calls.push({ method, params });
      return ((fake.answers[method] ?? fallback) as (params: never) => unknown)(params);
    };
    return handler as InitHandlers[K];
  };
  const unscripted = (): never => {
    throw new RpcError(-32601, "the test has no answer for this");
  };
  mkdirSync(callerSocketFolder("init", service, run), { recursive: true });
  const listening: Listening = listenUnix<typeof init_methods, typeof init_notifications, typeof child_methods, typeof child_notifications>(
    callerSocket("init", service, run),
    0o660,
    (peer) => ({
      serves: {
        methods: init_methods,
        handlers: {
          "system.status": answer("system.status", () => system_status),
          "system.boot": answer("system.boot", unscripted),
          "system.hardware": answer("system.hardware", unscripted),
          "system.processes": answer("system.processes", unscripted),
          "system.shutdown": answer("system.shutdown", unscripted),
          "system.reclaim": answer("system.reclaim", () => ({ freed_bytes: 0 })),
          "service.list": answer("service.list", () => []),
          "service.start": answer("service.start", unscripted),
          "service.stop": answer("service.stop", unscripted),
          "service.restart": answer("service.restart", ({ service: name }) => ({ ...status_of_ready, name })),
          "service.define": answer("service.define", ({ service: name }) => ({ ...status_of_ready, name, state: "stopped", pid: null })),
          "service.remove": answer("service.remove", () => ({ removed: true })),
          "service.defined": answer("service.defined", () => []),
          "config.packages": answer("config.packages", () => ({ sources: [], generations_max: 48 })),
          "config.sensors": answer("config.sensors", () => ({ pace: 1 })),
          "config.strategic": answer("config.strategic", () => ({
            config: { enabled: true, providers: [], budget: { hour: nothing, day: nothing, incident: nothing } },
            problems: [],
          })),
          "events.subscribe": answer("events.subscribe", () => {
            subscribers.add(peer());
            for (const event of fake.held) peer().tell("event", event);
            return {};
          }),
          "logs.subscribe": answer("logs.subscribe", () => ({ subscription: 1 })),
          "logs.unsubscribe": answer("logs.unsubscribe", () => ({})),
        },
      },
      hears: {
        notifications: init_notifications,
        listeners: {
          ready: ({ detail }) => {
            fake.child = peer();
            fake.ready.push(detail);
          },
          heartbeat: ({ health }) => void fake.healths.push(health),
          status: () => {},
        },
      },
      calls: child_methods,
      tells: child_notifications,
      onClose: () => {
        for (const subscriber of subscribers) if (subscriber.closed) subscribers.delete(subscriber);
      },
    }),
  );
  const fake: FakeInit = {
    run,
    ready: [],
    healths: [],
    calls: [],
    held: [],
    child: null,
    answers: {},
    emit(event) {
      for (const subscriber of subscribers) subscriber.tell("event", event);
    },
    async until(what, condition, limit_ms = 10_000) {
      const end_ms = performance.now() + limit_ms;
      while (!condition()) {
        if (performance.now() > end_ms) throw new Error(`waiting for ${what} failed: not so within ${limit_ms} ms`);
        await Bun.sleep(5);
      }
    },
    close: () => listening.close(),
  };
  return fake;
}
