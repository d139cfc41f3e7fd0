/** What a ban would cut this machine off from: hosts that it needs, or by which people reach it. */

import { readFileSync } from "node:fs";
import type { Context } from "../../../context.ts";
import { dnsServers } from "../../net/shared/dns-servers.ts";
import { readInterfaces } from "../../net/shared/ip.ts";
import { meet, type Network, networkOf } from "../../net/shared/network.ts";
import { parseSockets } from "../../net/shared/sockets.ts";

export const lifeline_kinds = ["gateway", "dns", "console", "own-network"] as const;

export interface Lifeline {
  readonly kind: (typeof lifeline_kinds)[number];
  /** Address or network. */
  readonly at: string;
}

type Ports = Pick<Context, "exec" | "places" | "init">;

/** Those that have an address in `network`, each once. */
export async function lifelinesIn(network: Network, context: Ports): Promise<Lifeline[]> {
  const interfaces = await readInterfaces(context);
  const gateways = interfaces.flatMap(({ routes, other_routes }) =>
    [...routes, ...other_routes].flatMap(({ to, via }) => (to === "default" && via !== null ? [via] : [])),
  );
  const own = interfaces.flatMap(({ addresses, other_addresses }) => [...addresses, ...other_addresses]).map(hostOf);
  const all: Lifeline[] = [
    ...gateways.map((at) => ({ kind: "gateway" as const, at })),
    ...dnsServers(context.places).map((at) => ({ kind: "dns" as const, at })),
    ...(await consolePeers(context)).map((at) => ({ kind: "console" as const, at })),
    ...own.map((at) => ({ kind: "own-network" as const, at })),
  ];
  const met = all.filter(({ at }) => isNumeric(at) && meet(network, networkOf(at)));
  return met.filter((one, index) => met.findIndex(({ kind, at }) => kind === one.kind && at === one.at) === index);
}

function hostOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf("/"));
}

/** A line of resolv.conf may name anything. */
function isNumeric(text: string): boolean {
  try {
    networkOf(text);
    return true;
  } catch {
    return false;
  }
}

/** Hosts with a connection to the console, in whatever namespace it listens. */
async function consolePeers({ init }: Pick<Context, "init">): Promise<string[]> {
  const processes = (await init?.call("system.processes", {}))?.filter(({ service }) => service === "console") ?? [];
  return processes.flatMap(({ pid }) =>
    (["tcp", "tcp6"] as const).flatMap((table) =>
      parseSockets(table, read(`/proc/${pid}/net/${table}`))
        .filter(({ state }) => state === "established")
        .map(({ remote }) => remote),
    ),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it has ended meanwhile
  }
}
