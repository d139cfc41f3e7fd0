/** Which DNS servers the system is to use: those that net.configure declared, else those that PID 1 has by config and leases. */

import { z } from "zod";
import { configured_resolv } from "../../../../contracts/paths.ts";
import { writeDurably } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import type { Drift } from "../../shared/declared.ts";
import { readOrNull } from "../../shared/small-files.ts";

type Asks = Pick<Context, "places" | "state">;

/** Where the broker keeps what was declared. */
export const dns_key = "dns";

export function resolvFile(places: Context["places"]): string {
  return `${places.run}/etc/resolv.conf`;
}

/** The servers in use, in order. */
export function dnsServers(places: Context["places"]): string[] {
  return serversOf(readOrNull(resolvFile(places)) ?? "");
}

export function setDns(servers: readonly string[], { places, state }: Asks): void {
  writeDurably(resolvFile(places), resolvText(servers));
  state.put(dns_key, servers);
}

export function dnsDrift({ places, state }: Asks): Drift[] {
  const wanted = wantedText({ places, state });
  if (wanted === null || readOrNull(resolvFile(places)) === wanted) return [];
  const servers = serversOf(wanted).join(", ");
  return [{ what: "dns", detail: servers === "" ? "there are servers, and none was declared" : `the servers are not ${servers}` }];
}

/** Writes what is right where it is not so. @throws */
export function restoreDns({ places, state }: Asks): void {
  const wanted = wantedText({ places, state });
  if (wanted !== null && readOrNull(resolvFile(places)) !== wanted) writeDurably(resolvFile(places), wanted);
}

/** @returns the text of resolv.conf(5); null when PID 1 has not written any yet */
function wantedText({ places, state }: Asks): string | null {
  const declared = z
    .array(z.string())
    .nullable()
    .parse(state.get(dns_key) ?? null);
  return declared === null ? readOrNull(`${places.run}/${configured_resolv}`) : resolvText(declared);
}

function resolvText(servers: readonly string[]): string {
  return servers.map((address) => `nameserver ${address}\n`).join("");
}

/** resolv.conf(5) */
function serversOf(text: string): string[] {
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, address]) => address ?? "");
}
