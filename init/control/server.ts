/** What children say to PID 1 and ask of it (contracts/init.ts), one peer a connection. Loaded after the first service was started. */

import type { Socket } from "bun";
import type { child_methods } from "../../contracts/init.ts";
import { child_notifications, init_methods, init_notifications, init_permissions } from "../../contracts/init.ts";
import type { CoreService } from "../../contracts/service.ts";
import { Outbox } from "../../wire/outbox.ts";
import { Peer } from "../../wire/peer.ts";
import type { Supervisor } from "../supervise/supervisor.ts";
import type { Guest, Visit, Welcome } from "./door.ts";
import { type Desk, handlersFor } from "./handlers.ts";

export type ChildPeer = Peer<typeof init_methods, typeof init_notifications, typeof no_methods, typeof child_notifications>;
const no_methods = {} satisfies Partial<typeof child_methods>;

/** How a connection of this service is welcomed. */
export function welcomeFor(service: CoreService, desk: Desk, supervisor: Supervisor): Welcome {
  const allowed = new Set<string>(init_permissions[service]);
  return (socket: Socket<Visit>): Guest => {
    const outbox = new Outbox(socket);
    const { handlers, leave } = handlersFor(service, desk, () => peer);
    const peer: ChildPeer = new Peer(outbox, {
      serves: { methods: init_methods, handlers },
      hears: {
        notifications: init_notifications,
        listeners: {
          ready: ({ detail }) => supervisor.saidReady(service, detail),
          heartbeat: ({ health }) => supervisor.saidAlive(service, health),
          status: ({ text }) => supervisor.saidStatus(service, text),
        },
      },
      calls: no_methods,
      tells: child_notifications,
      refuses: (method) => (allowed.has(method) ? null : `"${service}" may not call "${method}"`),
      onClose: leave,
    });
    return { receive: (chunk) => peer.receive(chunk), drain: () => outbox.drain(), closed: (reason) => peer.close(reason) };
  };
}
