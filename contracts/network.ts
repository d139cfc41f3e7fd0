/** What PID 1 tells the broker of the network: a file on /run, for what is right where nobody declared otherwise. */

import { z } from "zod";

/** Ethernet devices that the machine config has set up and that are plugged in. */
export const ConfiguredLinks = z.array(
  z.strictObject({
    name: z.string(),
    /** dhcpcd adds addresses and routes to those below. */
    dhcp: z.boolean(),
    mtu: z.number().int().nullable(),
    /** With prefix length, as the config writes them. */
    addresses: z.array(z.string()),
    /** `to` is `default` for the gateway. */
    routes: z.array(z.strictObject({ to: z.string(), via: z.string() })),
    /** The IPv4 default route that its lease names, for as long as that holds; dhcpcd sets it. */
    leased_gateway: z.string().nullable(),
    /** The config does not name it: it is set up as every device is (`network.default`). */
    by_default: z.boolean(),
    /** A carrier, since it came in this boot. */
    had_link: z.boolean(),
    /** One that is not of the link alone, since it came in this boot. */
    had_address: z.boolean(),
  }),
);
export type ConfiguredLinks = z.infer<typeof ConfiguredLinks>;
