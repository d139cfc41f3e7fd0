/** The methods that PID 1 serves, for one connection of one caller. Whoever asks for a change says why; that is kept as an event. */

import type { PackagesConfig, SensorsConfig } from "../../contracts/config.ts";
import type { LogRecord } from "../../contracts/event.ts";
import type { BootTimeline, Hardware, init_methods, ProcessInfo, ShutdownAction, SystemStatus } from "../../contracts/init.ts";
import type { StrategicSettings } from "../../contracts/model/provider.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { EventHub, Unsubscribe } from "../events.ts";
import type { LogHub } from "../logs.ts";
import type { Supervisor } from "../supervise/supervisor.ts";
import { type DefinedServices, DefineError } from "./defined.ts";
import { reclaim } from "./reclaim.ts";
import type { ChildPeer } from "./server.ts";

/** What the handlers need of PID 1. */
export interface Desk {
  readonly supervisor: Supervisor;
  readonly events: EventHub;
  readonly logs: LogHub;
  readonly mode: "machine" | "container";
  status(): SystemStatus;
  boot(): BootTimeline;
  hardware(): Hardware | null;
  processes(): ProcessInfo[];
  /** @returns why not, or null when the way down has begun */
  shutdown(action: ShutdownAction, reason: string): Promise<string | null>;
  stopping(): boolean;
  packages(): PackagesConfig;
  sensors(): SensorsConfig;
  /** With keys in it. */
  strategic(): StrategicSettings;
  readonly defined: DefinedServices;
  log(message: string): void;
}

/** Answers of `service.restart` and the like wait this long for the service; then they say how it is. */
const wait_limit_ms = 60_000;
const subscriptions_max = 32;

type InitHandlers = Handlers<typeof init_methods>;

export function handlersFor(caller: string, desk: Desk, peer: () => ChildPeer): { handlers: InitHandlers; leave: () => void } {
  const subscriptions = new Map<number, Unsubscribe>();
  let next_subscription = 1;
  let events: Unsubscribe | null = null;

  const change = async (
    what: "start" | "stop" | "restart",
    { service, why }: { service: string; why: { who: string; reason: string } },
  ): Promise<ServiceStatus> => {
    if (!desk.supervisor.has(service)) throw new RpcError(rpc_error.not_found, `there is no service "${service}"; service.list names them`);
    if (desk.stopping()) throw new RpcError(rpc_error.conflict, `to ${what} "${service}" is not possible: the system goes down`);
    if (what === "stop" && service === "console")
      throw new RpcError(rpc_error.conflict, "the console cannot be stopped: it is the only way in; restart it instead");
    const reason = `${what} requested by ${why.who} (${caller}): ${why.reason}`;
    desk.log(`service "${service}": ${reason}`);
    await within(wait_limit_ms, desk.supervisor[what](service, reason));
    return statusOf(service);
  };
  const statusOf = (service: string): ServiceStatus => {
    const status = desk.supervisor.status(service);
    if (status === null) throw new RpcError(rpc_error.not_found, `the service "${service}" has gone meanwhile`);
    return status;
  };

  const handlers: InitHandlers = {
    "system.status": () => desk.status(),
    "system.boot": () => desk.boot(),
    "system.hardware": () => {
      const hardware = desk.hardware();
      if (hardware === null) throw new RpcError(rpc_error.unavailable, "the hardware is not looked through yet; ask again in a moment");
      return hardware;
    },
    "system.processes": () => desk.processes(),
    "system.shutdown": async ({ action, why }) => {
      const refusal = await desk.shutdown(action, `requested by ${why.who} (${caller}): ${why.reason}`);
      if (refusal !== null) throw new RpcError(rpc_error.conflict, refusal);
      return { accepted: true };
    },
    "system.reclaim": async ({ why }) => {
      if (desk.mode === "container")
        throw new RpcError(rpc_error.conflict, "reclaiming caches failed: in container mode they belong to the host; reclaim them there");
      const freed_bytes = await reclaim();
      desk.log(`caches reclaimed, ${freed_bytes} bytes freed; requested by ${why.who} (${caller}): ${why.reason}`);
      return { freed_bytes };
    },
    "service.list": () => desk.supervisor.statuses(),
    "service.start": (params) => change("start", params),
    "service.stop": (params) => change("stop", params),
    "service.restart": (params) => change("restart", params),
    "service.define": async ({ service, definition, why }) => {
      if (desk.stopping()) throw new RpcError(rpc_error.conflict, `to define "${service}" is not possible: the system goes down`);
      await answering(() => desk.defined.define(service, definition));
      desk.log(`service "${service}": defined by ${why.who} (${caller}): ${why.reason}`);
      return statusOf(service);
    },
    "service.remove": async ({ service, why }) => {
      const reason = `removed by ${why.who} (${caller}): ${why.reason}`;
      await answering(() => within(wait_limit_ms, desk.defined.remove(service, reason)));
      if (desk.supervisor.has(service))
        throw new RpcError(rpc_error.timeout, `to remove "${service}" failed: it has not stopped yet; try again`);
      desk.log(`service "${service}": ${reason}`);
      return { removed: true };
    },
    "service.defined": () => desk.defined.list(),
    "config.packages": () => desk.packages(),
    "config.sensors": () => desk.sensors(),
    "config.strategic": () => desk.strategic(),
    "events.subscribe": ({ after }) => {
      events?.();
      // answered first, then the held ones, then the new ones: all in the order of the hub
      const held = desk.events.after(after);
      events = desk.events.subscribe((event) => void peer().tell("event", event));
      for (const event of held) peer().tell("event", event);
      return {};
    },
    "logs.subscribe": ({ service, backlog }) => {
      if (subscriptions.size >= subscriptions_max)
        throw new RpcError(rpc_error.unavailable, `subscribing failed: this connection has ${subscriptions_max} subscriptions; end one`);
      const subscription = next_subscription;
      next_subscription += 1;
      // the answer has to go first, since it names the subscription: what comes meanwhile waits behind the held ones
      let waiting: LogRecord[] | null = desk.logs.last(backlog, service);
      const tell = (record: LogRecord): void => void peer().tell("log", { subscription, record });
      const unsubscribe = desk.logs.subscribe((record) => {
        if (service !== null && record.service !== service) return;
        if (waiting === null) tell(record);
        else waiting.push(record);
      });
      subscriptions.set(subscription, unsubscribe);
      setImmediate(() => {
        waiting?.forEach(tell);
        waiting = null;
      });
      return { subscription };
    },
    "logs.unsubscribe": ({ subscription }) => {
      subscriptions.get(subscription)?.();
      if (!subscriptions.delete(subscription)) throw new RpcError(rpc_error.not_found, `there is no subscription ${subscription}`);
      return {};
    },
  };
  return {
    handlers,
    leave: () => {
      events?.();
      for (const unsubscribe of subscriptions.values()) unsubscribe();
      subscriptions.clear();
    },
  };
}

/** @throws {RpcError} for what the caller can mend */
async function answering(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof DefineError) throw new RpcError(rpc_error[error.why], error.message);
    throw error;
  }
}

/** Ends with the work, or when the time is over. */
async function within(limit_ms: number, work: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limit_ms);
  try {
    await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
