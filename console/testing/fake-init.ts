/** PID 1 as the console sees it: a system that is well, with logs, on the wire's own fake. */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { LogRecord } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";
import { type FakeInit, startFakeInit } from "../../wire/testing/fake-init.ts";
import { boot, events, hardware, logRecord, processes, services, status } from "./records.ts";

export interface FakeSystem {
  readonly init: FakeInit;
  readonly logs: LogRecord[];
  /** Subscriptions to logs that are open. */
  readonly subscriptions: Map<number, string | null>;
  log(record: LogRecord): void;
}

/** @param http_socket where the console will listen; its folder is made */
export function startFakeSystem(run: string, http_socket: string): FakeSystem {
  mkdirSync(dirname(http_socket), { recursive: true });
  const init = startFakeInit(run, "console");
  const logs = [
    logRecord(1, "memory", "opened the database"),
    logRecord(2, "reactive", "8 rules loaded"),
    logRecord(3, "memory", "slow write", "warning"),
  ];
  const subscriptions = new Map<number, string | null>();
  let next = 1;
  const send = (subscription: number, record: LogRecord): void => void init.child?.tell("log", { subscription, record });
  const wants = (service: string | null, record: LogRecord): boolean => service === null || service === record.service;
  const change = ({ service }: { service: string }): ServiceStatus => {
    const found = services.find((one) => one.name === service);
    if (found === undefined) throw new RpcError(rpc_error.not_found, `there is no service "${service}"`);
    return { ...found, reason: "asked for by operator" };
  };
  init.held.push(...events);
  Object.assign(init.answers, {
    "system.status": () => status,
    "system.boot": () => boot,
    "system.hardware": () => hardware,
    "system.processes": () => [...processes],
    "system.shutdown": () => ({ accepted: true }) as const,
    "service.list": () => [...services],
    "service.start": change,
    "service.stop": (params: { service: string }) => ({ ...change(params), state: "stopped", pid: null }),
    "service.restart": change,
    "logs.subscribe": ({ service, backlog }: { service: string | null; backlog: number }) => {
      const subscription = next++;
      subscriptions.set(subscription, service);
      for (const record of logs.filter((one) => wants(service, one)).slice(-backlog)) send(subscription, record);
      return { subscription };
    },
    "logs.unsubscribe": ({ subscription }: { subscription: number }) => {
      subscriptions.delete(subscription);
      return {};
    },
  } satisfies Partial<FakeInit["answers"]>);
  return {
    init,
    logs,
    subscriptions,
    log(record) {
      logs.push(record);
      for (const [subscription, service] of subscriptions) if (wants(service, record)) send(subscription, record);
    },
  };
}
