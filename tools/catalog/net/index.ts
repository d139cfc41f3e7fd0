/** The network: interfaces, names, probes, the firewall and open ports. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { capture } from "./capture.ts";
import { configure } from "./configure.ts";
import { connect } from "./connect.ts";
import { connections } from "./connections.ts";
import { declared } from "./declared.ts";
import { dns } from "./dns.ts";
import { firewall } from "./firewall.ts";
import { http } from "./http.ts";
import { interfaces } from "./interfaces.ts";
import { listen } from "./listen.ts";
import { ping } from "./ping.ts";
import { restoreNetwork } from "./restore.ts";
import { trace } from "./trace.ts";
import { wireguardCreate } from "./wireguard_create.ts";
import { wireguardPeer } from "./wireguard_peer.ts";
import { wireguardStatus } from "./wireguard_status.ts";

export const net: readonly AnyTool[] = [
  capture,
  configure,
  connect,
  connections,
  declared,
  dns,
  firewall,
  http,
  interfaces,
  listen,
  ping,
  trace,
  wireguardCreate,
  wireguardPeer,
  wireguardStatus,
];

export const net_restorer: Restorer = { name: "firewall and interfaces", family: "net", restore: restoreNetwork };
