/** A host outside, as policies see it. Names are resolved once, here; what is connected to is the address that was judged. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Resource } from "../../../../contracts/tool.ts";
import { ToolError } from "../../../tool.ts";
import { reach } from "./network.ts";

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
