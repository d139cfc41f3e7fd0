import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { Gateway, Unnamed, unnamedLinks, wantedGateways } from "./shared/declared-links.ts";
import { dnsServers } from "./shared/dns-servers.ts";
import { InterfaceName } from "./shared/fields.ts";
import { InterfaceState, readInterfaces } from "./shared/ip.ts";

export const interfaces = defineTool({
  name: "net.interfaces",
  title: "Network interfaces",
  description:
    "The network interfaces with kind, link state, MTU, addresses and routes, and the DNS servers in use. `addresses` and `routes` are those that were set; `other_addresses` and `other_routes` came by DHCP, by router advertisement or from the kernel. `gateways` are the default routes that there are to be, whether or not they are there. `unnamed` are devices that nobody configured: one without a cable, or without a DHCP server, is no fault until it has had a link, or an address. To change them use net.configure.",
  input: z.lazy(() => z.strictObject({ name: InterfaceName.nullable().default(null).describe("only this one; null: all") })),
  output: z.lazy(() =>
    z.strictObject({
      interfaces: z.array(InterfaceState),
      gateways: z.array(Gateway),
      unnamed: z.array(Unnamed),
      dns: z.array(z.string()),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true, // a lease or a router says part of it
  image: null,
  resolve: ({ name }) => ({ resources: [{ kind: "interface", id: name ?? "*", access: "read", attributes: {} }] satisfies Resource[] }),
  run: async (_, { name }, context) => {
    const all = await readInterfaces(context);
    const found = all.filter((one) => name === null || one.name === name);
    if (name !== null && found.length === 0)
      throw new ToolError(`looking at "${name}" failed: there is no such interface; there are ${all.map((one) => one.name).join(", ")}`);
    const gateways = wantedGateways(context).filter((one) => name === null || one.interface === name);
    const unnamed = unnamedLinks(context).filter((one) => name === null || one.interface === name);
    return { interfaces: found, gateways, unnamed, dns: dnsServers(context.places) };
  },
});
