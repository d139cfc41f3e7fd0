/** One socket for each caller of the broker. */

import { existsSync } from "node:fs";
import { broker_callers, broker_methods } from "../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import { listenUnix, silent } from "../wire/unix.ts";
import type { Registry } from "./registry.ts";

const socket_mode = 0o660;

export interface BrokerServer {
  /** Callers whose socket could not be made, because their folder is missing. */
  readonly missing: readonly string[];
  close(): void;
}

export function serveBroker(run: string, registry: Registry): BrokerServer {
  const handlers = { "tools/list": () => ({ tools: registry.list() }) };
  const present = broker_callers.filter((caller) => existsSync(callerSocketFolder("broker", caller, run)));
  const listening = present.map((caller) =>
    listenUnix(callerSocket("broker", caller, run), socket_mode, () => ({
      ...silent,
      serves: { methods: broker_methods, handlers },
      calls: {},
      tells: {},
    })),
  );
  return {
    missing: broker_callers.filter((caller) => !present.includes(caller)),
    close: () => {
      for (const one of listening) one.close();
    },
  };
}
