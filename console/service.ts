/** The console in operation: HTTP first, so that it answers at once; memory and the serial line when there is time. */

import { call_bytes_max } from "../contracts/console-broker.ts";
import type { Decision } from "../contracts/decision.ts";
import { callerSocket } from "../contracts/paths.ts";
import { LogReader } from "../wire/logs.ts";
import { start_answer_limit_ms, startService } from "../wire/service.ts";
import { brokerToolPort } from "./mcp/broker-port.ts";
import { mcpEndpoint } from "./mcp/http.ts";
import { makeHandlers } from "./routes.ts";
import { type ConsoleServer, serveConsole } from "./server/server.ts";
import { type BrokerLink, linkBroker } from "./sources/broker.ts";
import { EventLog } from "./sources/events.ts";
import { Hub } from "./sources/hub.ts";
import { linkMemory, type MemoryLink } from "./sources/memory.ts";

interface ConsoleOptions {
  /** The run directory (`/run/aios`). */
  readonly run: string;
  /** The socket that the world sees. */
  readonly http_socket: string;
  /** Starts the serial line, where there is one; gives what it is, for people. */
  readonly startLink?: () => Promise<string | null>;
  readonly log: (message: string) => void;
}

export async function startConsole(options: ConsoleOptions): Promise<void> {
  const events = new EventLog();
  const decisions = new Hub<Decision>();
  const logs = new LogReader();
  let memory: MemoryLink | null = null;
  let broker: BrokerLink | null = null;
  let server: ConsoleServer | null = null;
  let serial: string | null = null;
  const service = await startService({
    name: "console",
    run: options.run,
    health: () => ({
      status: "ok",
      detail: ["listening", memory?.port ? null : "memory is away", broker?.port ? null : "the broker is away"].filter(Boolean).join("; "),
      facts: {
        requests: server?.requests() ?? 0,
        streams: server?.streams() ?? 0,
        memory: Boolean(memory?.port),
        broker: Boolean(broker?.port),
        serial: serial ?? "none",
      },
    }),
    onEvent: (event) => events.take(event),
    onLog: (notification) => logs.take(notification),
    onStop: () => server?.stop(),
  });
  const handlers = makeHandlers({ init: service.init, memory: () => memory?.port ?? null, events, decisions, logs, broker: () => broker });
  const mcp = mcpEndpoint(
    brokerToolPort(() => broker),
    call_bytes_max,
  );
  server = serveConsole(options.http_socket, handlers, { log: options.log, mcp });
  service.ready("listening");

  await service.init.call("events.subscribe", { after: null }, start_answer_limit_ms);
  memory = linkMemory(callerSocket("memory", "console", options.run), {
    onEvent: (event) => events.take(event),
    onDecision: (decision) => decisions.publish(decision),
  });
  broker = linkBroker(callerSocket("broker", "console", options.run));
  serial = (await options.startLink?.()) ?? null;
}
