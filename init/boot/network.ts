/**
 * The network: each Ethernet device gets what the machine config says (link, MTU, addresses, routes), by DHCP through
 * dhcpcd where it says so. Devices that appear later get the same. What changes becomes events.
 */

import { existsSync, mkdirSync, readFileSync, symlinkSync, watch } from "node:fs";
import type { InterfaceConfig, MachineConfig } from "../../contracts/config.ts";
import type { Degradation } from "../../contracts/init.ts";
import type { ConfiguredLinks } from "../../contracts/network.ts";
import { configured_links, configured_resolv, data_dir, run_dir } from "../../contracts/paths.ts";
import { isSysError } from "../../sys/errors.ts";
import type { Link, NetChange } from "../../sys/netlink/route.ts";
import { writeDurably } from "../../wire/files.ts";
import { names, readText, reasonOf } from "./files.ts";
import type { Lease } from "./lease.ts";
import type { BootContext, Phase } from "./phase.ts";
import {
  chrony_config,
  chronyConfigText,
  chronyd,
  chronyProgram,
  dhcpcd_config,
  dhcpcdConfigText,
  dhcpcdProgram,
  lease_folder,
  ntp_server,
} from "./programs.ts";
import { degraded, done } from "./result.ts";

const resolv_file = `${run_dir}/etc/resolv.conf`;
/** What the broker compares with, where nobody declared otherwise (tools/catalog/net). */
const resolv_own = `${run_dir}/${configured_resolv}`;
const links_file = `${run_dir}/${configured_links}`;
/** resolv.conf(5): MAXNS. */
const nameservers_max = 3;
/** Leases change in bursts: address, then routes, then renewals of both families. */
const settle_ms = 50;

type ConfiguredLink = ConfiguredLinks[number];
type Had = Pick<ConfiguredLink, "had_link" | "had_address">;
const nothing_yet: Had = { had_link: false, had_address: false };

export const loopback: Phase = {
  name: "loopback",
  what: "The machine can talk to itself",
  modes: "both",
  limit_ms: 2000,
  run: async (boot) => {
    const lo = boot.sys.netlink.links().find((link) => link.loopback);
    if (lo === undefined) return degraded("loopback", "this kernel has no loopback device", "use a kernel with CONFIG_INET");
    boot.sys.netlink.changeLink(lo.index, { up: true });
    return done(`"${lo.name}" is up`);
  },
};

export const network: Phase = {
  name: "network",
  what: "Links, addresses and routes as configured; DHCP where asked for",
  modes: "both",
  limit_ms: 10_000,
  run: async (boot) => {
    const manager = new Network(boot);
    await manager.start();
    const trouble = manager.trouble();
    return trouble === null ? done(manager.summary()) : degraded("network", trouble.detail, trouble.todo);
  },
};

/** What a device gets, or null when it is left alone. */
export function configFor(link: Link, config: MachineConfig["network"], physical: boolean): InterfaceConfig | null {
  const own = config.interfaces.find((entry) => matches(entry, link));
  if (own !== undefined) return own;
  if (link.loopback || !link.ethernet || !physical || config.default === "none") return null;
  return { match: { name: link.name }, dhcp: true, addresses: [], routes: [], dns: [] };
}

/** What of a link follows from its config alone. */
type FixedLink = Omit<ConfiguredLink, "leased_gateway" | keyof Had>;

function configuredLink(name: string, { dhcp, mtu, addresses, routes, gateway }: InterfaceConfig, by_default: boolean): FixedLink {
  const all = gateway === undefined ? routes : [...routes, { to: "default", via: gateway }];
  return { name, dhcp, mtu: mtu ?? null, addresses, routes: all, by_default };
}

function matches({ match }: InterfaceConfig, link: Link): boolean {
  return "name" in match ? match.name === link.name : match.mac.toLowerCase() === link.mac;
}

/** RFC 3927, RFC 4291 2.5.6: every interface gives itself such a one. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
}

/** The servers of the config first, then those of leases, each once. */
export function resolvConf(config: MachineConfig["network"], leases: readonly Lease[]): string {
  const all = [...config.dns, ...config.interfaces.flatMap(({ dns }) => dns), ...leases.flatMap(({ dns }) => dns)];
  return [...new Set(all)]
    .slice(0, nameservers_max)
    .map((address) => `nameserver ${address}\n`)
    .join("");
}

export class Network {
  readonly #boot: BootContext;
  /** The last state that was told, by index. */
  readonly #told = new Map<number, { readonly name: string; readonly up: boolean; readonly carrier: boolean }>();
  /** By index. */
  readonly #configured = new Map<number, FixedLink>();
  /** By index. */
  readonly #had = new Map<number, Had>();
  readonly #dhcp = new Set<string>();
  readonly #leases = new Map<string, { readonly text: string; readonly lease: Lease }>();
  /** What could not be set up, by interface. */
  readonly #problems = new Map<string, string>();
  #ntp = "";
  #settling = false;
  /** The boot has been told what is wrong; what changes from then on is told here. */
  #follows = false;

  constructor(boot: BootContext) {
    this.#boot = boot;
  }

  async start(): Promise<void> {
    const { netlink } = this.#boot.sys;
    netlink.watchNetwork((change) => this.#guarded("following the network", () => this.#take(change)));
    for (const link of netlink.links()) this.#takeLink(link);
    this.#runDhcp();
    this.#watchLeases();
    await this.#apply();
    this.#follows = true;
  }

  /** What people miss, and what they can do about it. */
  trouble(): Pick<Degradation, "detail" | "todo"> | null {
    const { sys, state, mode } = this.#boot;
    const links = sys.netlink.links().filter((link) => !link.loopback);
    const absent = state.config.network.interfaces.filter((config) => !links.some((link) => matches(config, link)));
    if (absent.length > 0) {
      const wanted = absent.map(({ match }) => `"${"name" in match ? match.name : match.mac}"`).join(", ");
      return {
        detail: `aios.yaml configures ${wanted}, and no such device is here`,
        todo: "correct network.interfaces, or plug it in: it is then configured at once",
      };
    }
    if (this.#problems.size > 0)
      return { detail: [...this.#problems.values()].join("; "), todo: "correct network.interfaces in aios.yaml" };
    if (mode === "machine" && !links.some((link) => link.ethernet))
      return { detail: "there is no network device; everything else works", todo: "plug one in: it is then configured at once" };
    return null;
  }

  /** A card that came or went. */
  #tellTrouble(): void {
    if (!this.#follows) return;
    const trouble = this.trouble();
    this.#boot.degrade("network", trouble === null ? null : { what: "network", ...trouble });
  }

  summary(): string {
    const count = this.#configured.size;
    const by_dhcp = this.#dhcp.size > 0 ? `, DHCP on ${[...this.#dhcp].join(", ")}` : "";
    return `${count} configured${by_dhcp}`;
  }

  #guarded(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#boot.log("error", `${what} failed: ${reasonOf(error)}`);
    }
  }

  #take(change: NetChange | null): void {
    if (change === null) {
      for (const link of this.#boot.sys.netlink.links()) this.#takeLink(link);
      return;
    }
    if (change.kind === "link") {
      if (change.gone) this.#forget(change.link);
      else if (this.#takeLink(change.link)) this.#runDhcp();
      return;
    }
    const { index, address } = change.address;
    const name = this.#told.get(index)?.name ?? `link ${index}`;
    this.#boot.emit("net.address", "info", { interface: name, address, added: !change.gone });
    if (!change.gone && !isLinkLocal(address)) this.#saw(index, "had_address");
  }

  /** @returns whether the set of DHCP interfaces changed */
  #takeLink(link: Link): boolean {
    const before = this.#told.get(link.index);
    const { name, up, carrier, index } = link;
    this.#told.set(index, { name, up, carrier });
    if (before === undefined || before.up !== up || before.carrier !== carrier) {
      const lost = before?.carrier === true && !carrier;
      this.#boot.emit("net.link", lost && !link.loopback ? "warning" : "info", { interface: name, index, up, carrier });
    }
    if (carrier) this.#saw(index, "had_link");
    if (this.#configured.has(index)) return false;
    const physical = existsSync(`/sys/class/net/${name}/device`);
    const wanted = this.#boot.state.config.network;
    const config = configFor(link, wanted, physical);
    if (config === null) {
      if (before === undefined) this.#tellTrouble();
      return false;
    }
    this.#configured.set(index, configuredLink(name, config, !wanted.interfaces.includes(config)));
    this.#configure(link, config);
    this.#tellConfigured();
    this.#tellTrouble();
    if (!config.dhcp) return false;
    this.#dhcp.add(name);
    return true;
  }

  /** A port without a cable is no fault until it has had one: the broker is told. */
  #saw(index: number, what: keyof Had): void {
    const had = this.#had.get(index) ?? nothing_yet;
    if (had[what]) return;
    this.#had.set(index, { ...had, [what]: true });
    if (this.#configured.has(index)) this.#tellConfigured();
  }

  #forget(link: Link): void {
    this.#told.delete(link.index);
    this.#had.delete(link.index);
    if (this.#configured.delete(link.index)) this.#tellConfigured();
    this.#problems.delete(link.name);
    this.#tellTrouble();
    this.#boot.emit("net.link", "warning", { interface: link.name, index: link.index, up: false, carrier: false });
    // dhcpcd sees by itself that an interface went, and the same name may come back
  }

  /** Each step by itself: a wrong route must not cost the address. */
  #configure(link: Link, config: InterfaceConfig): void {
    const { netlink } = this.#boot.sys;
    const wrong: string[] = [];
    const step = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        if (!isSysError(error, "EEXIST")) wrong.push(reasonOf(error));
      }
    };
    const { mtu } = config;
    if (mtu !== undefined) step(() => netlink.changeLink(link.index, { mtu }));
    step(() => netlink.changeLink(link.index, { up: true }));
    for (const address of config.addresses) step(() => netlink.addAddress(link.index, address));
    for (const { to, via } of config.routes) step(() => netlink.replaceRoute({ to, via, index: link.index, metric: 0 }));
    const { gateway } = config;
    if (gateway !== undefined) {
      const to = gateway.includes(":") ? "::/0" : "0.0.0.0/0";
      step(() => netlink.replaceRoute({ to, via: gateway, index: link.index, metric: 0 }));
    }
    if (wrong.length === 0) return;
    this.#problems.set(link.name, `"${link.name}": ${wrong.join("; ")}`);
    this.#boot.log("error", `configuring "${link.name}" failed in part: ${wrong.join("; ")}`);
  }

  #tellConfigured(): void {
    const leases = [...this.#leases.values()].map(({ lease }) => lease);
    const gatewayOf = (name: string): string | null =>
      leases.find((lease) => lease.interface === name && lease.gateway !== null)?.gateway ?? null;
    const links = [...this.#configured].map(
      ([index, link]): ConfiguredLink => ({ ...link, leased_gateway: gatewayOf(link.name), ...(this.#had.get(index) ?? nothing_yet) }),
    );
    writeDurably(links_file, JSON.stringify(links));
  }

  #runDhcp(): void {
    if (this.#dhcp.size === 0) return;
    keepOnData("dhcpcd");
    writeDurably(dhcpcd_config, dhcpcdConfigText([...this.#dhcp].sort()));
    this.#boot.runProgram("dhcpcd", dhcpcdProgram(), `DHCP on ${[...this.#dhcp].join(", ")}`);
  }

  #watchLeases(): void {
    mkdirSync(lease_folder, { recursive: true });
    watch(lease_folder, () => {
      if (this.#settling) return;
      this.#settling = true;
      setTimeout(() => {
        this.#settling = false;
        this.#apply().catch((error: unknown) => this.#boot.log("error", `reading the leases failed: ${reasonOf(error)}`));
      }, settle_ms);
    });
  }

  /** Reads all leases, tells of those that changed, and writes what follows from them. */
  async #apply(): Promise<void> {
    const { parseLease } = await import("./lease.ts"); // the schema is heavy
    let changed = false;
    for (const file of names(lease_folder).filter((name) => name.endsWith(".json"))) {
      const text = readFileSync(`${lease_folder}/${file}`, "utf8");
      if (this.#leases.get(file)?.text === text) continue;
      const lease = parseLease(text);
      if (lease === null) {
        this.#boot.log("warning", `the lease "${file}" is not in the form that our hook writes: ignored`);
        continue;
      }
      this.#leases.set(file, { text, lease });
      changed = true;
      this.#boot.emit("net.lease", "info", { interface: lease.interface, reason: lease.reason, address: lease.address });
    }
    if (changed) this.#tellConfigured();
    const leases = [...this.#leases.values()].map(({ lease }) => lease);
    this.#applyResolver(resolvConf(this.#boot.state.config.network, leases));
    this.#runNtp(leases);
  }

  /** Servers that somebody declared (`net.configure`) stay when a lease changes. */
  #applyResolver(text: string): void {
    const in_use = readText(resolv_file);
    const others_set_it = in_use !== null && in_use !== readText(resolv_own);
    writeDurably(resolv_own, text);
    if (!others_set_it) writeDurably(resolv_file, text);
  }

  /** The servers of the config; those of leases only when it names none. Offline is normal: without a server nothing runs. */
  #runNtp(leases: readonly Lease[]): void {
    if (this.#boot.mode === "container") return; // the clock is the host's
    const configured = this.#boot.state.config.network.ntp;
    const bad = configured.filter((server) => !ntp_server.test(server));
    if (bad.length > 0) {
      const detail = `network.ntp: ${bad.map((server) => `"${server}"`).join(", ")} is neither an address nor a host name`;
      this.#boot.degrade("time servers", { what: "time servers", detail, todo: "correct network.ntp in aios.yaml" });
    }
    const servers = configured.length > 0 ? configured : [...new Set(leases.flatMap(({ ntp }) => ntp))].sort();
    const usable = servers.filter((server) => ntp_server.test(server));
    const key = usable.join(" ");
    if (key === this.#ntp) return;
    this.#ntp = key;
    this.#boot.state.clock.servers = usable;
    if (usable.length === 0) {
      this.#boot.runProgram(chronyd, null, "no time server is known any more");
      return;
    }
    keepOnData("chrony");
    writeDurably(chrony_config, chronyConfigText(usable));
    this.#boot.runProgram(chronyd, chronyProgram(), `time servers: ${usable.join(", ")}`);
  }
}

/** `/var/lib/<name>`, which the program has compiled in, leads by way of /run to its folder on the data partition. */
function keepOnData(name: string): void {
  try {
    symlinkSync(`${data_dir}/${name}`, `${run_dir}/${name}`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
