/** A host outside, as policies see it. Names are resolved once, here; what is connected to is the address that was judged. */

import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import type { Resource } from "../../../../contracts/tool.ts";
import { ToolError } from "../../../tool.ts";

const special = new BlockList();
for (const [network, prefix, family] of [
  ["127.0.0.0", 8, "ipv4"],
  ["0.0.0.0", 8, "ipv4"],
  ["::1", 128, "ipv6"],
  ["::", 128, "ipv6"],
] as const)
  special.addSubnet(network, prefix, family);

const private_networks = new BlockList();
for (const [network, prefix, family] of [
  ["10.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
] as const)
  private_networks.addSubnet(network, prefix, family);

/** RFC 1918, 4193, 3927, 6598: `loopback`, `private` or `public`. IPv4 written as IPv6 (RFC 4291, 2.5.5.2) is judged as IPv4. */
export function reach(address: string): "loopback" | "private" | "public" {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const text = mapped ?? address;
  const family = isIP(text) === 6 ? "ipv6" : "ipv4";
  if (special.check(text, family)) return "loopback";
  return private_networks.check(text, family) ? "private" : "public";
}

export interface Remote {
  readonly host: string;
  readonly address: string;
  readonly resource: Resource;
}

/** @param port null where there is none (ping) @throws {ToolError} when the name has no address */
export async function resolveRemote(host: string, port: number | null, access: Resource["access"], what: string): Promise<Remote> {
  const address = isIP(host) !== 0 ? host : await addressOf(host, what);
  return {
    host,
    address,
    resource: {
      kind: "address",
      id: port === null ? host : `${host}:${port}`,
      access,
      attributes: { host, address, reach: reach(address), ...(port === null ? {} : { port }) },
    },
  };
}

async function addressOf(host: string, what: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new ToolError(
      `${what} failed: the name "${host}" has no address (${error instanceof Error ? error.message : String(error)}); look with net.dns`,
    );
  }
}
