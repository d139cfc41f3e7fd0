/**
 * dhcpcd's hook (dhcpcd-run-hooks(8)): started by it for every change, with the change in the environment. What a DHCP
 * server sent is untrusted: each value is parsed, and what does not parse is left out. The result is one file that PID 1
 * watches; this program changes nothing else.
 */

import { z } from "zod";
import { writeDurably } from "../wire/files.ts";
import { Lease, type LeaseVia } from "./boot/lease.ts";
import { lease_folder } from "./boot/programs.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reasons after which there is no address (any more). */
const over = new Set([
  "NOCARRIER",
  "EXPIRE",
  "EXPIRE6",
  "STOP",
  "STOP6",
  "FAIL",
  "TIMEOUT",
  "RELEASE",
  "RELEASE6",
  "NAK",
  "DEPARTED",
  "PREINIT",
]);
/** Reasons that say nothing of addresses and servers. STOPPED: dhcpcd leaves and the addresses stay (`persistent`). */
const silent = new Set(["STOPPED", "CARRIER", "UNKNOWN", "TEST", "DUMP", "DUMP6", "PREINIT"]);
const servers_max = 8;

const Ipv4 = z.ipv4();
const Ipv6 = z.ipv6();

/**
 * @param folder where the file goes
 * @param say takes the line about what was refused
 * @returns exit status: 0, also for reasons that are not our business; 1 when something essential was malformed
 */
export function dhcpHook(environment: Environment, folder: string = lease_folder, now_ms: number = Date.now(), say = toStderr): number {
  const reason = environment["reason"] ?? "";
  if (silent.has(reason)) return 0;
  const lease = Lease.safeParse(readLease(environment, reason, now_ms));
  if (!lease.success) {
    say(`dhcp-hook: the reason "${reason.slice(0, 40)}" is ignored: ${z.prettifyError(lease.error).replaceAll("\n", " ")}\n`);
    return 1;
  }
  // what ends one way ends it alone; an interface that is gone takes all of them along
  const ways: readonly LeaseVia[] = reason === "DEPARTED" || reason === "NOCARRIER" ? ["v4", "v6", "ra"] : [lease.data.via];
  for (const via of ways) {
    writeDurably(`${folder}/${lease.data.interface}.${via}.json`, `${JSON.stringify({ ...lease.data, via })}\n`);
  }
  return 0;
}

const toStderr = (line: string): void => void process.stderr.write(line);

function readLease(environment: Environment, reason: string, now_ms: number): Lease {
  const via = viaOf(reason);
  const over_now = over.has(reason);
  const [address, dns, ntp] = {
    v4: ["new_ip_address", "new_domain_name_servers", "new_ntp_servers"],
    v6: ["new_dhcp6_ia_na1_ia_addr1", "new_dhcp6_name_servers", "new_dhcp6_sntp_servers"],
    ra: ["nd1_addr1", "nd1_rdnss1_servers", ""],
  }[via];
  return {
    interface: environment["interface"] ?? "",
    via,
    reason,
    address: over_now ? null : (addresses(environment[address ?? ""])[0] ?? null),
    gateway: over_now || via !== "v4" ? null : gatewayOf(environment),
    dns: over_now ? [] : addresses(environment[dns ?? ""]),
    ntp: over_now ? [] : addresses(environment[ntp ?? ""]),
    time_ms: now_ms,
  };
}

function viaOf(reason: string): LeaseVia {
  if (reason === "ROUTERADVERT") return "ra";
  return reason.endsWith("6") ? "v6" : "v4";
}

/** RFC 3442: where there are classless static routes (`0.0.0.0/0 10.0.0.1 …`), the routers (RFC 2132, 3.5) do not count. */
function gatewayOf(environment: Environment): string | null {
  const routes = (environment["new_classless_static_routes"] ?? "").slice(0, 4096).split(/\s+/);
  if (routes[0] === "") return addresses(environment["new_routers"])[0] ?? null;
  const at = routes.findIndex((word, index) => index % 2 === 0 && word === "0.0.0.0/0");
  return at === -1 ? null : (addresses(routes[at + 1])[0] ?? null);
}

/** Addresses in a list of words; what is none is left out. */
function addresses(words: string | undefined): string[] {
  const list = (words ?? "").slice(0, 4096).split(/[\s,]+/);
  return list
    .map((word) => word.replace(/\/\d{1,3}$/, ""))
    .filter((word) => Ipv4.safeParse(word).success || Ipv6.safeParse(word).success)
    .slice(0, servers_max);
}
