/** Ports on which somebody listens, held against those that were declared with net.listen, and by a service's own definition. */

import { readFileSync } from "node:fs";
import type { ProcessInfo } from "../../../../../contracts/init.ts";
import type { State } from "../../../../context.ts";
import { reach } from "../../../net/shared/network.ts";
import { readSockets, socketOwners } from "../../../net/shared/sockets.ts";
import { OpenPort, port_prefix } from "../../../net/shared/wall.ts";
import { Tunnel, tunnel_prefix } from "../../../net/shared/wireguard.ts";
import { allStored } from "../../../service/shared/store.ts";
import type { Finding } from "./finding.ts";

/** Of the programs that PID 1 brings with it (`init/boot/programs.ts`): DHCP's clients (RFC 2131, RFC 8415). chronyd listens nowhere. */
const own_listeners: Readonly<Record<string, readonly string[]>> = { dhcpcd: ["udp:68", "udp:546"] };

const unspecified = new Set(["0.0.0.0", "::"]);

/**
 * @param declared what the tools of a family have declared
 * @param processes as PID 1 knows them: to which service each belongs
 */
export function listeningFindings(
  declared: (family: "net" | "service") => Pick<State, "list">,
  processes: readonly Pick<ProcessInfo, "pid" | "service">[],
): Finding[] {
  const opened = new Map(
    declared("net")
      .list(port_prefix)
      .map(({ value }) => portOf(OpenPort.parse(value))),
  );
  const said = [...allStored({ state: declared("service") })].flatMap(([name, { definition }]) =>
    definition.ports.map(({ protocol, port }) => ({ name, port: `${protocol}:${port}` })),
  );
  const meant = new Set([...opened.keys(), ...said.map(({ port }) => port)]);
  const tunnels = new Set(
    declared("net")
      .list(tunnel_prefix)
      .map(({ value }) => `udp:${Tunnel.parse(value).listen_port}`),
  );
  const given = portsGiven();
  const services = new Map(processes.map(({ pid, service }) => [pid, service]));
  /** Not one that PID 1 does not name: of many processes it tells some only, and a new one may be of any service. */
  const isStranger = (owner: { readonly pid: number } | undefined): boolean => owner !== undefined && services.get(owner.pid) === null;
  const owners = socketOwners();
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const { protocol, local, local_port, state, inode } of readSockets()) {
    if (state !== "listen" || (!unspecified.has(local) && reach(local) === "loopback")) continue; // only this machine reaches those
    const port = `${protocol}:${local_port}`;
    seen.add(port);
    // whoever only sends over UDP has such a socket, too: on a port that the kernel gave it, which nobody can know before
    if (protocol === "udp" && local_port >= given.from && local_port <= given.to && !meant.has(port)) continue;
    const owner = owners.get(inode);
    if (owner === undefined && tunnels.has(port)) continue; // the kernel's own
    const service = owner === undefined ? null : (services.get(owner.pid) ?? null);
    if (service !== null && own_listeners[service]?.includes(port) === true) continue;
    const who =
      owner === undefined ? "nobody known" : `${owner.name} (pid ${owner.pid}${service === null ? "" : `, service "${service}"`})`;
    const base = { check: "listening", where: port, evidence: `${who} listens on ${local}`.slice(0, 500) } as const;
    const wanted = opened.get(port);
    if (wanted === undefined) {
      // not open to others, but meant: a plan defines the service first, and then waits for whoever may open its port
      if (said.some((one) => one.name === service && one.port === port)) continue;
      findings.push({
        ...base,
        kind: "undeclared-listener",
        severity: "medium",
        advice:
          "declare it with net.listen, or in `ports` of its service's definition, if it is meant, else end it (service.stop, process.kill); a closed firewall does not let anybody in",
      });
    } else if (service !== wanted && (service !== null || isStranger(owner)))
      findings.push({
        ...base,
        kind: "wrong-listener",
        severity: "high",
        advice: `the port is open for the service "${wanted}": find out why ${service === null ? "a process of no service" : "another one"} has it`,
      });
  }
  for (const [port, owner] of opened)
    if (!seen.has(port))
      findings.push({
        check: "listening",
        kind: "declared-but-closed",
        severity: "low",
        where: port,
        evidence: `open in the firewall for "${owner}", and nobody listens`,
        advice: "close it with net.listen and remove, or start the service",
      });
  return findings;
}

/** Ports that the kernel gives whoever asks for none (ip(7), ip_local_port_range; IPv6 has no other ones). */
function portsGiven(): { readonly from: number; readonly to: number } {
  const [from = 0, to = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  return { from, to };
}

function portOf({ protocol, port, owner }: OpenPort): [port: string, owner: string] {
  return [`${protocol}:${port}`, owner];
}
