/** What inputs of this family are made of. */

import { z } from "zod";

export const InterfaceName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,14}$/, "an interface name is 1 to 15 of A-Z a-z 0-9 . _ -, a letter or digit first");
export const Address = z.union([z.ipv4(), z.ipv6()]).describe("an IPv4 or IPv6 address");
export const Cidr = z.union([z.cidrv4(), z.cidrv6()]).describe("an address or network with its prefix length, 192.0.2.1/24");
export const Port = z.number().int().min(1).max(65_535);
/** RFC 1123, dots between labels; no IDN: give the A-label. */
export const HostName = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i,
    "a host name is labels of a-z 0-9 - _, joined by dots",
  );
export const Host = z.union([Address, HostName]);
