/** What our DHCP hook tells PID 1, one file for each interface and way of configuring it. Every value was checked. */

import { z } from "zod";

/** `v4`: DHCP; `v6`: DHCPv6; `ra`: router advertisement. */
export const LeaseVia = z.enum(["v4", "v6", "ra"]);
export type LeaseVia = z.infer<typeof LeaseVia>;

const Address = z.union([z.ipv4(), z.ipv6()]);

export const Lease = z.strictObject({
  interface: z.string().regex(/^[^\s/:]{1,15}$/),
  via: LeaseVia,
  /** Why the hook ran (dhcpcd-run-hooks(8)): `BOUND`, `RENEW`, `EXPIRE` … */
  reason: z.string().regex(/^[A-Z0-9]{1,20}$/),
  /** Null when there is none (any more). */
  address: Address.nullable(),
  /** Through which the rest of the world is reached: of DHCP alone, what a router advertises is not told. */
  gateway: Address.nullable(),
  dns: z.array(Address).max(8),
  ntp: z.array(Address).max(8),
  time_ms: z.number(),
});
export type Lease = z.infer<typeof Lease>;

/** @returns null for anything that is not a lease */
export function parseLease(text: string): Lease | null {
  try {
    return Lease.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
