/** Interfaces, routes and names, by the broker's tools. */

import type { ToolAnswer } from "../../../contracts/tool-answers.ts";
import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks whether the network is as it should be";
/** Answered with "no such name" by every resolver, without asking anybody (RFC 6761, 6.4). */
const name_of_nobody = "patrol.invalid";
const said_by = { call: "by net.configure", config: "by aios.yaml", lease: "by its lease" } as const;
const default_routes = new Set(["default", "0.0.0.0/0", "::/0"]);

export class NetworkPatrol {
  readonly #wires: () => Promise<readonly (string | null)[]>;

  /** @param mode in a container the wire to the outside is one end of a veth; on a machine a veth leads to somebody inside */
  constructor(mode: () => Promise<"machine" | "container">) {
    this.#wires = async () => ((await mode()) === "container" ? [null, "veth"] : [null]);
  }

  /**
   * There is a default route that nobody named, and this process saw it: of a router advertisement, or of whoever started a container.
   * A machine that is meant to have none is not ill.
   */
  #saw_unnamed = false;

  async look(ask: AskTool): Promise<Figure[]> {
    const { interfaces, gateways, unnamed, dns } = await ask("net.interfaces", {}, why);
    const figures: Figure[] = [];
    const wires = await this.#wires();
    for (const one of interfaces) {
      if (one.name === "lo" || !wires.includes(one.kind) || !one.up) continue;
      // a port that nobody named is set up as every one is: without a cable, or where no DHCP server answers, it is only unused
      const spare = unnamed.find((each) => each.interface === one.name);
      figures.push({ figure: "net.no_link", subject: one.name, value: one.carrier || spare?.had_link === false ? 0 : 1 });
      if (!one.carrier || one.master !== null) continue;
      const addresses = [...one.addresses, ...one.other_addresses].filter((address) => !isLinkLocal(address));
      figures.push({ figure: "net.no_address", subject: one.name, value: addresses.length > 0 || spare?.had_address === false ? 0 : 1 });
    }
    const here = interfaces.flatMap(({ routes, other_routes }) => [...routes, ...other_routes]).filter(({ to }) => default_routes.has(to));
    figures.push({ figure: "net.route_lost", subject: "default", ...this.#lost(gateways, here) });
    if (dns.length > 0) figures.push(await namesFigure(ask, dns.length));
    return figures;
  }

  /**
   * What was declared, configured or leased outlives this process: a route that went while it was down is missed, too.
   * @param here the default routes that there are, by their gateways; null: straight to the wire
   */
  #lost(
    gateways: ToolAnswer<"net.interfaces">["gateways"],
    here: readonly { readonly via: string | null }[],
  ): Pick<Figure, "value" | "detail"> {
    const [lost] = gateways.filter(({ via }) => !here.some((one) => isSameFamily(one.via, via)));
    if (lost !== undefined) return { value: 1, detail: `${lost.interface} is to have one ${said_by[lost.by]}` };
    if (gateways.length > 0) this.#saw_unnamed = false;
    else this.#saw_unnamed ||= here.length > 0;
    return { value: this.#saw_unnamed && here.length === 0 ? 1 : 0 };
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

/** IPv4 and IPv6 have a default route each. */
function isSameFamily(a: string | null, b: string | null): boolean {
  return a === null || b === null || a.includes(":") === b.includes(":");
}

/** RFC 3927, RFC 4291 2.5.6: every interface gives itself such a one. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}
