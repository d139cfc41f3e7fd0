/** The handlers of all routes, each from the source that knows. */

import type { Decision } from "../contracts/decision.ts";
import type { ShutdownAction } from "../contracts/init.ts";
import type { LogReader } from "../wire/logs.ts";
import { makeBrokerHandlers } from "./broker-routes.ts";
import type { Answer, Handlers } from "./server/handlers.ts";
import type { Feed } from "./server/stream.ts";
import type { BrokerLink } from "./sources/broker.ts";
import type { EventLog } from "./sources/events.ts";
import { matches } from "./sources/events.ts";
import { explain, listDecisions, listEvents } from "./sources/history.ts";
import type { Hub } from "./sources/hub.ts";
import type { InitPort } from "./sources/init.ts";
import type { MemoryPort } from "./sources/memory.ts";
import { readMetrics } from "./sources/metrics.ts";

/** Milliseconds: PID 1 answers when the service is ready or has failed to become so, or when the next kernel is loaded. */
const change_ms_max = 90_000;
/** Live items held while a history is read. */
const gap_max = 2000;
/** Who asks, as PID 1 records it. Everyone who may open the console's socket is an operator. */
const who = "operator";

export interface Sources {
  readonly init: InitPort;
  readonly memory: () => MemoryPort | null;
  readonly events: EventLog;
  readonly decisions: Hub<Decision>;
  readonly logs: LogReader;
  readonly broker: () => BrokerLink | null;
}

export function makeHandlers({ init, memory, events, decisions, logs, broker }: Sources): Handlers {
  const change = (method: "service.start" | "service.stop" | "service.restart") => async (input: ChangeInput) =>
    fromInit(await init.call(method, { service: input.path.name, why: { who, reason: input.body.reason } }, change_ms_max));
  const shutdown = (action: ShutdownAction) => async (input: { body: { reason: string } }) =>
    fromInit(await init.call("system.shutdown", { action, why: { who, reason: input.body.reason } }, change_ms_max));
  const metrics = async () => readMetrics(await init.call("system.processes", {}));
  return {
    status: async () => fromInit(await init.call("system.status", {})),
    boot: async () => fromInit(await init.call("system.boot", {})),
    services: async () => fromInit(await init.call("service.list", {})),
    processes: async () => fromInit(await init.call("system.processes", {})),
    hardware: async () => fromInit(await init.call("system.hardware", {})),
    service_start: change("service.start"),
    service_stop: change("service.stop"),
    service_restart: change("service.restart"),
    reboot: shutdown("reboot"),
    kexec: shutdown("kexec"),
    poweroff: shutdown("poweroff"),
    metrics: async () => ({ value: await metrics(), source: "proc" }),
    metrics_stream: async ({ query }) => ({
      value: { backlog: [await metrics()], live: ticking(query.interval_ms, metrics) },
      source: "proc",
    }),
    logs: async ({ query }) => fromInit(await logFeed(init, logs, query.service ?? null, query.lines, query.follow)),
    events: async ({ query }) => {
      const read = () => listEvents(memory(), events, query.lines, query);
      return await historyFeed(
        events.hub,
        read,
        query.follow,
        (event) => matches(event, query),
        (event) => event.id,
      );
    },
    decisions: async ({ query }) => {
      const read = () => listDecisions(memory(), query.lines);
      return await historyFeed(
        decisions,
        read,
        query.follow,
        () => true,
        (decision) => `${decision.id} ${decision.outcome.result}`,
      );
    },
    why: async ({ path }) => await explain(memory(), events, path.id),
    ...makeBrokerHandlers(broker),
  };
}

interface ChangeInput {
  readonly path: { readonly name: string };
  readonly body: { readonly reason: string };
}

function fromInit<T>(value: T): Answer<T> {
  return { value, source: "init" };
}

/** The history, and with `follow` what comes after it: nothing twice, nothing missed between. */
async function historyFeed<T>(
  hub: Hub<T>,
  read: () => Promise<Answer<T[]>>,
  follow: boolean,
  wanted: (item: T) => boolean,
  key: (item: T) => string,
): Promise<Answer<Feed<T>>> {
  const gap = follow ? hub.hold(gap_max) : null;
  try {
    const history = await read();
    const known = new Set(history.value.map(key));
    const live =
      gap === null
        ? null
        : (push: (item: T) => void) =>
            gap.start((item) => {
              if (known.delete(key(item)) || !wanted(item)) return;
              push(item);
            });
    return { ...history, value: { backlog: history.value, live } };
  } catch (error) {
    gap?.stop();
    throw error;
  }
}

async function logFeed(init: InitPort, logs: LogReader, service: string | null, lines: number, follow: boolean) {
  const backlog = await logs.held(init, service, lines);
  if (!follow) return { backlog, live: null };
  const last = backlog.at(-1)?.seq ?? -1;
  const live = (push: (record: (typeof backlog)[number]) => void, end: () => void): (() => void) => {
    // A few held records are asked for again: those that came since the history was read.
    const closing = logs.follow(init, service, gap_max, (record) => {
      if (record.seq > last) push(record);
    });
    closing.catch(end); // a client that hears nothing more has to know
    return () => void closing.then((close) => close()).catch(() => {});
  };
  return { backlog, live };
}

function ticking<T>(interval_ms: number, sample: () => Promise<T>): (push: (item: T) => void) => () => void {
  return (push) => {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      sample()
        .then(push, () => {})
        .finally(() => {
          busy = false;
        });
    }, interval_ms);
    return () => clearInterval(timer);
  };
}
