/** How interfaces are to be: as net.configure declared them, else as PID 1 set them up by the machine config. */

import { z } from "zod";
import { ConfiguredLinks } from "../../../../contracts/network.ts";
import { configured_links } from "../../../../contracts/paths.ts";
import type { Context } from "../../../context.ts";
import type { Drift } from "../../shared/declared.ts";
import { readOrNull } from "../../shared/small-files.ts";
import { InterfaceName } from "./fields.ts";
import { changeLinks, type InterfaceState, RouteState, readInterfaces } from "./ip.ts";
import { canonicalAddress, canonicalRoute, planLines, type Wanted } from "./plan.ts";

export const Make = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("vlan").describe("a tagged network on another interface (802.1Q)"),
    parent: InterfaceName.describe("the interface below"),
    id: z.number().int().min(1).max(4094).describe("the VLAN tag"),
  }),
  z.strictObject({ kind: z.literal("bridge").describe("a switch between its members") }),
  z.strictObject({ kind: z.literal("bond").describe("several links as one") }),
]);

/** What is made again at the next boot. */
export const Declared = z.lazy(() =>
  z.strictObject({
    /** Tunnels are made with net.wireguard_create. */
    make: z.union([Make, z.strictObject({ kind: z.literal("wireguard") })]).nullable(),
    up: z.boolean(),
    mtu: z.number().int(),
    master: z.string().nullable(),
    addresses: z.array(z.string()),
    routes: z.array(RouteState),
  }),
);
export type Declared = z.infer<typeof Declared>;

export const declared_prefix = "interface/";

type MadeAs = Declared["make"];

/** What an interface is, which stays for as long as it exists. */
export function identity(now: InterfaceState | null, make: MadeAs): Pick<Wanted, "kind" | "parent" | "vlan"> {
  const vlan = make?.kind === "vlan" ? make : null;
  return {
    kind: now?.kind ?? make?.kind ?? null,
    parent: now?.parent ?? vlan?.parent ?? null,
    vlan: now?.vlan ?? vlan?.id ?? null,
  };
}

/** What of a state is not as wanted; a down interface has no routes. */
export function difference(
  found: InterfaceState | null,
  wanted: Pick<Wanted, "up" | "mtu" | "master" | "addresses" | "routes">,
): string | null {
  if (found === null) return "it is not there";
  for (const key of ["up", "mtu", "master"] as const)
    if (found[key] !== wanted[key]) return `${key} is ${JSON.stringify(found[key])}, not ${JSON.stringify(wanted[key])}`;
  const missing = wanted.addresses.filter((one) => !found.addresses.includes(one));
  const more = found.addresses.filter((one) => !wanted.addresses.includes(one));
  if (missing.length + more.length > 0)
    return `its addresses are ${found.addresses.join(", ") || "none"}, not ${wanted.addresses.join(", ") || "none"}`;
  if (!wanted.up) return null;
  const lost = wanted.routes.find((route) => !found.routes.some((one) => one.to === route.to && one.via === route.via));
  return lost === undefined ? null : `its route to ${lost.to} is missing`;
}

/** What of the interfaces is not as it is to be. */
export async function linkDrift(context: Context): Promise<Drift[]> {
  return (await wantedLinks(context, "all")).flatMap(({ now, wanted }): Drift[] => {
    const wrong = difference(now, wanted);
    return wrong === null ? [] : [{ what: `interface/${wanted.name}`, detail: wrong.slice(0, 500) }];
  });
}

/** Those that a call declared; or those of the machine config, too, which PID 1 has set up at the boot already. */
export type Which = "declared" | "all";

/** Makes them so where they are not. @returns what failed */
export async function restoreLinks(context: Context, which: Which): Promise<string[]> {
  const failed: string[] = [];
  let links = await wantedLinks(context, which);
  for (const { name } of links.map(({ wanted }) => wanted)) {
    const one = links.find(({ wanted }) => wanted.name === name);
    if (one === undefined || difference(one.now, one.wanted) === null) continue;
    try {
      if (one.now === null && one.make === null) throw new Error("there is no such device now");
      await changeLinks(context, planLines(one.now, one.wanted));
      links = await wantedLinks(context, which); // it may have changed others: members of a bridge, routes through it
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

interface WantedLink {
  readonly now: InterfaceState | null;
  readonly make: MadeAs;
  readonly wanted: Wanted;
}

/** Those that others stand on come first: bridges and bonds, then devices, then VLANs. */
async function wantedLinks(context: Context, which: Which): Promise<WantedLink[]> {
  const declared = context.state
    .list(declared_prefix)
    .map(({ key, value }) => ({ name: key.slice(declared_prefix.length), is: Declared.parse(value) }));
  const configured = which === "declared" ? [] : readConfigured(context).filter(({ name }) => !declared.some((one) => one.name === name));
  if (declared.length + configured.length === 0) return [];
  const all = await readInterfaces(context);
  const nowOf = (wanted: string): InterfaceState | null => all.find(({ name }) => name === wanted) ?? null;
  const links = declared.map(({ name, is: { make, ...is } }): WantedLink => {
    const now = nowOf(name);
    return { now, make, wanted: { name, ...identity(now, make), ...is } };
  });
  for (const one of configured) {
    const now = nowOf(one.name);
    if (now !== null) links.push({ now, make: null, wanted: asConfigured(now, one) }); // else unplugged just now: PID 1 tells of that
  }
  const order = ({ make }: WantedLink): number => (make === null || make.kind === "wireguard" ? 1 : make.kind === "vlan" ? 2 : 0);
  return links.sort((a, b) => order(a) - order(b));
}

/** A default route that there is to be, and who says so. */
export const Gateway = z.lazy(() =>
  z.strictObject({
    interface: z.string(),
    via: z.string().nullable(),
    by: z.enum(["call", "config", "lease"]).describe("net.configure, aios.yaml, or the DHCP server while its lease holds"),
  }),
);
export type Gateway = z.infer<typeof Gateway>;

/** The default route of either family, as ip(8) and as a config may write it. */
const everywhere: readonly string[] = ["default", "0.0.0.0/0", "::/0"];

/** A lease adds to what a call declared; an interface that was declared down has no routes. */
export function wantedGateways(context: Pick<Context, "state" | "places">): Gateway[] {
  const declared = new Map(
    context.state.list(declared_prefix).map(({ key, value }) => [key.slice(declared_prefix.length), Declared.parse(value)]),
  );
  const defaults = (name: string, routes: readonly Pick<RouteState, "to" | "via">[], by: Gateway["by"]): Gateway[] =>
    routes.filter(({ to }) => everywhere.includes(to)).map(({ via }) => ({ interface: name, via, by }));
  const configured = readConfigured(context);
  return [
    ...[...declared].flatMap(([name, { up, routes }]) => (up ? defaults(name, routes, "call") : [])),
    ...configured.flatMap(({ name, routes }) => (declared.has(name) ? [] : defaults(name, routes, "config"))),
    ...configured.flatMap(({ name, leased_gateway: via }): Gateway[] =>
      via === null || declared.get(name)?.up === false ? [] : [{ interface: name, via, by: "lease" }],
    ),
  ];
}

/** A device that neither aios.yaml nor net.configure names: set up because it is there. */
export const Unnamed = z.lazy(() =>
  z.strictObject({
    interface: z.string(),
    had_link: z.boolean().describe("since it came in this boot"),
    had_address: z.boolean().describe("since it came in this boot, one that is not of the link alone"),
  }),
);
export type Unnamed = z.infer<typeof Unnamed>;

export function unnamedLinks(context: Pick<Context, "state" | "places">): Unnamed[] {
  return readConfigured(context)
    .filter(({ name, by_default }) => by_default && context.state.get(declared_prefix + name) === undefined)
    .map(({ name, had_link, had_address }) => ({ interface: name, had_link, had_address }));
}

function readConfigured({ places }: Pick<Context, "places">): ConfiguredLinks {
  const text = readOrNull(`${places.run}/${configured_links}`);
  return text === null ? [] : ConfiguredLinks.parse(JSON.parse(text));
}

/** What the machine config leaves open stays as it is; where DHCP runs, addresses that it knows nothing of stay, too. */
function asConfigured(now: InterfaceState, { dhcp, mtu, addresses, routes }: ConfiguredLinks[number]): Wanted {
  const by_config = addresses.map(canonicalAddress);
  const missing = routes
    .map((route) => canonicalRoute({ ...route, metric: null }))
    .filter((route) => !now.routes.some(({ to, via }) => to === route.to && via === route.via));
  return {
    ...now,
    up: true,
    mtu: mtu ?? now.mtu,
    addresses: [...new Set(dhcp ? [...now.addresses, ...by_config] : by_config)].sort(),
    routes: [...now.routes, ...missing],
  };
}
