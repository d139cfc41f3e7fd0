/** From the state of an interface to another one: the lines for ip(8), in an order in which each can succeed. */

import { addressBytes, addressText } from "../../../../sys/netlink/ip.ts";
import type { InterfaceState, Line, RouteState } from "./ip.ts";

/** The parts of a state that can be set. */
export type Wanted = Pick<InterfaceState, "name" | "kind" | "parent" | "vlan" | "up" | "mtu" | "master" | "addresses" | "routes">;

/** Kinds of devices that are made by a call. */
export const made_kinds = ["vlan", "bridge", "bond"] as const;

/** @param now null: there is no such device @param wanted null: there shall be none */
export function planLines(now: InterfaceState | null, wanted: Wanted | null): Line[] {
  if (wanted === null) return now === null ? [] : [["link", "delete", "dev", now.name]];
  const { name } = wanted;
  const lines: Line[] = [];
  if (now === null) lines.push(makeLine(wanted));
  const mtu_now = now?.mtu ?? null;
  if (mtu_now !== wanted.mtu) lines.push(["link", "set", "dev", name, "mtu", wanted.mtu]);
  if ((now?.master ?? null) !== wanted.master)
    lines.push(wanted.master === null ? ["link", "set", "dev", name, "nomaster"] : ["link", "set", "dev", name, "master", wanted.master]);
  const gone = (now?.routes ?? []).filter((route) => !wanted.routes.some((other) => same(route, other)));
  lines.push(...gone.map((route) => routeLine("delete", name, route)));
  lines.push(
    ...(now?.addresses ?? []).filter((one) => !wanted.addresses.includes(one)).map((one): Line => ["address", "delete", one, "dev", name]),
  );
  if (wanted.up && now?.up !== true) lines.push(["link", "set", "dev", name, "up"]);
  lines.push(...wanted.addresses.filter((one) => now?.addresses.includes(one) !== true).map((one) => addressLine(one, name)));
  // A device that goes down forgets its routes, and the kernel forgets those through a gateway that is gone: all are set anew.
  if (wanted.up) lines.push(...wanted.routes.map((route) => routeLine("replace", name, route)));
  if (!wanted.up && now?.up === true) lines.push(["link", "set", "dev", name, "down"]);
  return lines;
}

function makeLine({ name, kind, parent, vlan }: Wanted): Line {
  if (kind === "vlan") return ["link", "add", "link", parent ?? "", "name", name, "type", "vlan", "id", vlan ?? 0];
  return ["link", "add", "name", name, "type", kind ?? ""];
}

/** An IPv6 address that is checked for duplicates cannot be used for a second or two; what is set on purpose is not checked. */
function addressLine(address: string, name: string): Line {
  return address.includes(":") ? ["address", "replace", address, "dev", name, "nodad"] : ["address", "replace", address, "dev", name];
}

function routeLine(verb: "replace" | "delete", name: string, { to, via, metric, protocol }: RouteState): Line {
  // The family is told by the addresses: the batch mode of ip(8) has no option for it.
  const words: (string | number)[] = ["route", verb, to];
  if (via !== null) words.push("via", via);
  words.push("dev", name, "proto", protocol);
  if (metric !== null) words.push("metric", metric);
  return words;
}

function same(a: RouteState, b: RouteState): boolean {
  return a.to === b.to && a.via === b.via && a.metric === b.metric;
}

/** As the kernel writes it: `2001:DB8::0:1/64` is `2001:db8::1/64`. */
export function canonicalAddress(cidr: string): string {
  const [address = "", prefix] = cidr.split("/");
  const text = addressText(addressBytes(address));
  return prefix === undefined ? text : `${text}/${prefix}`;
}

/** A route to one host is written without its prefix length. */
export function canonicalRoute({ to, via, metric }: Pick<RouteState, "to" | "via" | "metric">): RouteState {
  const short = to === "default" ? to : canonicalAddress(to).replace(to.includes(":") ? /\/128$/ : /\/32$/, "");
  return { to: short, via: via === null ? null : canonicalAddress(via), metric, protocol: "static" };
}
