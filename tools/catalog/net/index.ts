/** The network: interfaces, names, probes, the firewall and open ports. */

import type { Loaders } from "../../load.ts";
import type { Restorer } from "../../restore.ts";
import { restoreNetwork } from "./restore.ts";

export const net: Loaders = {
  "net.capture": async () => (await import("./capture.ts")).capture,
  "net.configure": async () => (await import("./configure.ts")).configure,
  "net.connect": async () => (await import("./connect.ts")).connect,
  "net.connections": async () => (await import("./connections.ts")).connections,
  "net.declared": async () => (await import("./declared.ts")).declared,
  "net.dns": async () => (await import("./dns.ts")).dns,
  "net.firewall": async () => (await import("./firewall.ts")).firewall,
  "net.http": async () => (await import("./http.ts")).http,
  "net.interfaces": async () => (await import("./interfaces.ts")).interfaces,
  "net.listen": async () => (await import("./listen.ts")).listen,
  "net.ping": async () => (await import("./ping.ts")).ping,
  "net.trace": async () => (await import("./trace.ts")).trace,
  "net.wireguard_create": async () => (await import("./wireguard_create.ts")).wireguardCreate,
  "net.wireguard_peer": async () => (await import("./wireguard_peer.ts")).wireguardPeer,
  "net.wireguard_status": async () => (await import("./wireguard_status.ts")).wireguardStatus,
};

export const net_restorer: Restorer = {
  name: "firewall and interfaces",
  family: "net",
  restore: (context) => restoreNetwork(context, "declared"),
};
