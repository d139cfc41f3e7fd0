/** Interfaces, routes and names, by the broker's tools. */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks whether the network is as it should be";
/** Answered with "no such name" by every resolver, without asking anybody (RFC 6761, 6.4). */
const name_of_nobody = "patrol.invalid";
const default_routes = new Set(["default", "0.0.0.0/0", "::/0"]);

export class NetworkPatrol {
  readonly #wires: () => Promise<readonly (string | null)[]>;

  /** @param mode in a container the wire to the outside is one end of a veth; on a machine a veth leads to somebody inside */
  constructor(mode: () => Promise<"machine" | "container">) {
    this.#wires = async () => ((await mode()) === "container" ? [null, "veth"] : [null]);
  }

  /** There was a default route since this process began: a machine that is meant to have none is not ill. */
  #had_route = false;

  async look(ask: AskTool): Promise<Figure[]> {
    const { interfaces, dns } = await ask("net.interfaces", {}, why);
    const figures: Figure[] = [];
    const wires = await this.#wires();
    for (const one of interfaces) {
      if (one.name === "lo" || !wires.includes(one.kind) || !one.up) continue;
      figures.push({ figure: "net.no_link", subject: one.name, value: one.carrier ? 0 : 1 });
      if (!one.carrier || one.master !== null) continue;
      const addresses = [...one.addresses, ...one.other_addresses].filter((address) => !isLinkLocal(address));
      figures.push({ figure: "net.no_address", subject: one.name, value: addresses.length === 0 ? 1 : 0 });
    }
    const has_route = interfaces.some(({ routes, other_routes }) => [...routes, ...other_routes].some(({ to }) => default_routes.has(to)));
    this.#had_route ||= has_route;
    figures.push({ figure: "net.route_lost", subject: "default", value: this.#had_route && !has_route ? 1 : 0 });
    if (dns.length > 0) figures.push(await namesFigure(ask, dns.length));
    return figures;
  }
}

async function namesFigure(ask: AskTool, servers: number): Promise<Figure> {
  const figure = { figure: "dns.silent", subject: "dns", detail: `${servers} name servers are set` };
  try {
    await ask("net.dns", { name: name_of_nobody }, why);
    return { ...figure, value: 0 };
  } catch {
    return { ...figure, value: 1 };
  }
}

/** RFC 3927, RFC 4291 2.5.6: every interface gives itself such a one. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
