/** The network: interfaces, names, probes, the firewall and open ports. */

import type { Restorer } from "../../restore.ts";
import type { AnyTool } from "../../tool.ts";
import { capture } from "./capture.ts";
import { configure, restoreInterfaces } from "./configure.ts";
import { connect } from "./connect.ts";
import { connections } from "./connections.ts";
import { dns } from "./dns.ts";
import { firewall } from "./firewall.ts";
import { http } from "./http.ts";
import { interfaces } from "./interfaces.ts";
import { listen } from "./listen.ts";
import { ping } from "./ping.ts";
import { declaredPorts, declaredWall, first_wall, put, wall_key } from "./shared/wall.ts";
import { applyTunnel, Tunnel, tunnel_prefix } from "./shared/wireguard.ts";
import { trace } from "./trace.ts";
import { wireguardCreate } from "./wireguard_create.ts";
import { wireguardPeer } from "./wireguard_peer.ts";
import { wireguardStatus } from "./wireguard_status.ts";

export const net: readonly AnyTool[] = [
  capture,
  configure,
  connect,
  connections,
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

/** The firewall first: nothing is reachable that was not meant to be, while the addresses come up. */
export const net_restorer: Restorer = {
  name: "firewall and interfaces",
  family: "net",
  async restore(context) {
    const failed: string[] = [];
    const wall = declaredWall(context.state) ?? first_wall;
    try {
      await put(context, wall, declaredPorts(context.state));
      context.state.put(wall_key, wall);
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
    }
    failed.push(...(await restoreInterfaces(context)));
    for (const { key, value } of context.state.list(tunnel_prefix))
      await applyTunnel(context, key.slice(tunnel_prefix.length), Tunnel.parse(value)).catch((error: unknown) => {
        failed.push(error instanceof Error ? error.message : String(error));
      });
    if (failed.length > 0) throw new Error(failed.join("; "));
  },
};
