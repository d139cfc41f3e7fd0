import { createSocket } from "node:dgram";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { ConfiguredLinks } from "../../../contracts/network.ts";
import { configured_links, configured_resolv } from "../../../contracts/paths.ts";
import { linuxSystem } from "../../../sys/linux.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { readTree } from "../../testing/tree.ts";
import { fresh, ip, nft } from "./testing/links.ts";

const momentary = new Set(["ifindex", "link_index", "valid_life_time", "preferred_life_time", "operstate"]);

/** Without what changes by itself: indexes, lifetimes of neighbours, statistics. */
function network({ places }: World): unknown {
  const strip = (text: string): unknown =>
    JSON.parse(text || "[]", (key, value: unknown) => {
      if (momentary.has(key)) return undefined;
      return key === "flags" && Array.isArray(value) ? value.filter((flag) => flag === "UP") : value;
    });
  let resolv: string | null = null;
  try {
    resolv = readFileSync(`${places.run}/etc/resolv.conf`, "utf8");
  } catch {
    // there is none
  }
  return {
    addresses: strip(ip("-json", "-4", "address")),
    names: strip(ip("-json", "link")),
    routes: strip(ip("-json", "-4", "route")),
    resolv,
  };
}

const rules = (): string => nft("--stateless", "list", "ruleset");
const nothing = (): null => null;

/** Interfaces, and tunnels with their keys: the secret ones, too. */
function tunnels(world: World): { readonly network: unknown; readonly wireguard: unknown } {
  const shown = Bun.spawnSync(["/usr/bin/wg", "show", "all", "dump"]).stdout.toString();
  let keys: string | null = null;
  try {
    keys = readFileSync(join(world.places.broker, "wireguard/wg0.json"), "utf8");
  } catch {
    // there are none
  }
  return { network: network(world), wireguard: { shown, keys } };
}

const some_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

/** A listener on loopback that ends with the case. */
let server: ReturnType<typeof createServer> | null = null;
async function listening(port: number): Promise<void> {
  fresh();
  server?.close();
  const made = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"));
  await new Promise<void>((resolve) => made.listen(port, "127.0.0.1", resolve));
  server = made;
}
const close = (): void => {
  server?.close();
  server = null;
};

/** dnsmasq on port 53 of loopback, which knows one name. */
let naming: Bun.Subprocess | null = null;
async function nameServer(): Promise<void> {
  noNameServer();
  const options = ["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root"];
  const names = ["--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example.org/", "--host-record=example.org,192.0.2.7"];
  naming = Bun.spawn(["/usr/sbin/dnsmasq", ...options, ...names], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  const listens = (): boolean => / 0100007F:0035 /.test(readFileSync("/proc/net/udp", "latin1"));
  for (let tries = 0; tries < 500 && !listens(); tries += 1) await Bun.sleep(10);
}
function noNameServer(): void {
  naming?.kill();
  naming = null;
}

/** Packets on loopback, as long as a case runs. */
let talking: ReturnType<typeof setInterval> | null = null;
let talker: ReturnType<typeof createSocket> | null = null;
function talk(): void {
  fresh();
  quiet();
  const socket = createSocket("udp4");
  talker = socket;
  talking = setInterval(() => socket.send("private words", 9999, "127.0.0.1"), 10);
}
function quiet(): void {
  if (talking !== null) clearInterval(talking);
  talker?.close();
  [talking, talker] = [null, null];
}

export const net_cases: readonly ToolCase[] = [
  {
    tool: "net.capture",
    name: "summed up",
    looks: true,
    prepare: () => {
      talk();
      return { interface: "lo", filter: "udp port 9999", packets_max: 3 };
    },
    observe: nothing,
    check: ({ packets, captured, ended, ...rest }) => {
      const [one] = packets as { destination: string; destination_port: number; protocol: string }[];
      if (
        captured !== 3 ||
        ended !== "packets" ||
        one?.destination !== "127.0.0.1" ||
        one.destination_port !== 9999 ||
        one.protocol !== "udp"
      )
        throw new Error(`it saw ${JSON.stringify({ packets, captured, ended, rest })}`);
    },
    bad: () => [
      { interface: "none" },
      { interface: "-w/tmp/x" },
      { interface: "lo", filter: "-w /tmp/x" },
      { interface: "lo", filter: "nonsense" },
      { interface: "lo", filter: "tcp\nport 1" },
      { interface: "lo", packets_max: 0 },
      { interface: "lo", seconds_max: 121 },
    ],
    clean: quiet,
  },
  {
    tool: "net.capture",
    name: "into a file",
    prepare: ({ folder }) => {
      talk();
      return { interface: "lo", filter: "udp port 9999", packets_max: 3, file: join(folder, "packets.pcap") };
    },
    observe: ({ folder }) => readTree(linuxSystem(), folder),
    effect: ({ folder }) => readdirSync(folder),
    check: (answer, { folder }) => {
      if (JSON.stringify(answer).includes("private")) throw new Error("it told what they carry");
      if (!readFileSync(join(folder, "packets.pcap")).includes("private words")) throw new Error("it did not keep them");
    },
    bad: ({ folder, places }) => [
      { interface: "lo", packets_max: 1, file: folder },
      { interface: "lo", packets_max: 1, file: join(folder, "nothing/x") },
      { interface: "lo", packets_max: 1, file: join(places.broker, "x") },
      { interface: "lo", packets_max: 1, file: "/proc/x" },
    ],
    clean: quiet,
  },
  {
    tool: "net.interfaces",
    name: "all",
    prepare: ({ places }) => {
      fresh();
      mkdirSync(`${places.run}/net`, { recursive: true });
      const link: ConfiguredLinks[number] = {
        name: "left",
        dhcp: true,
        mtu: null,
        addresses: [],
        routes: [],
        leased_gateway: "192.0.2.9",
        by_default: true,
        had_link: true,
        had_address: false,
      };
      writeFileSync(`${places.run}/${configured_links}`, JSON.stringify([link]));
      return {};
    },
    observe: network,
    bad: () => [{ name: "no-such-device" }, { name: "a b" }, { name: "../x" }],
    check: ({ interfaces, gateways, unnamed }) => {
      if (JSON.stringify(unnamed) !== '[{"interface":"left","had_link":true,"had_address":false}]')
        throw new Error(`it saw as unnamed ${JSON.stringify(unnamed)}`);
      if (JSON.stringify(gateways) !== '[{"interface":"left","via":"192.0.2.9","by":"lease"}]')
        throw new Error(`it saw the gateways ${JSON.stringify(gateways)}`);
      const left = (interfaces as { name: string; addresses: string[]; routes: unknown[] }[]).find(({ name }) => name === "left");
      if (left?.addresses.join() !== "192.0.2.1/24" || left.routes.length !== 1) throw new Error(`it saw ${JSON.stringify(left)}`);
    },
  },
  {
    tool: "net.configure",
    name: "addresses, routes, MTU and DNS",
    prepare: () => {
      fresh();
      return {
        interface: "left",
        addresses: ["192.0.2.7/24", "203.0.113.1/28"],
        routes: [{ to: "default", via: "192.0.2.254" }],
        mtu: 1400,
        dns: ["192.0.2.53"],
      };
    },
    observe: network,
    bad: () => [
      { interface: "none", up: true },
      { interface: "left", addresses: ["192.0.2.7"] },
      { interface: "left", addresses: ["192.0.2.7/24; reboot"] },
      { interface: "left", mtu: 1 },
      { interface: "left", remove: true },
      { interface: "left", routes: [{ to: "default", via: "203.0.113.99" }] },
      { interface: "left", master: "none" },
    ],
  },
  {
    tool: "net.configure",
    name: "down",
    prepare: () => {
      fresh();
      return { interface: "left", up: false };
    },
    observe: network,
  },
  {
    tool: "net.configure",
    name: "a bridge that is made",
    prepare: () => {
      fresh();
      return { interface: "lan", make: { kind: "bridge" }, up: true, addresses: ["10.9.0.1/24"] };
    },
    observe: network,
    effect: () => ip("-json", "-4", "address", "show", "dev", "lan").includes("10.9.0.1"),
  },
  {
    tool: "net.firewall",
    name: "closed, with rules",
    prepare: () => {
      fresh();
      return {
        set: {
          default: "closed",
          rules: [
            { direction: "in", action: "accept", protocol: "tcp", port: 22, source: "192.0.2.0/24", comment: "operators" },
            {
              direction: "through",
              action: "reject",
              protocol: "udp",
              port: { from: 5000, to: 5100 },
              destination: "2001:db8::/32",
              comment: "no games",
            },
            { direction: "out", action: "drop", protocol: "icmp", out_interface: "left", comment: "quiet" },
          ],
          masquerade: ["right"],
        },
      };
    },
    observe: rules,
    bad: () => [
      { set: { default: "ajar" } },
      { set: { default: "closed", rules: [{ direction: "in", action: "accept", port: 22, comment: "" }] } },
      { set: { default: "closed", rules: [{ direction: "in", action: "accept", source: "everywhere", comment: "" }] } },
      { set: { default: "closed", rules: [{ direction: "in", action: "accept", comment: '"; flush ruleset' }] } },
    ],
  },
  {
    tool: "net.firewall",
    name: "beside a ban",
    prepare: async (world) => {
      fresh();
      await world.call("sec.ban", { address: "198.51.100.7", why: "a case" });
      return { set: { default: "open" } };
    },
    observe: rules,
    check: () => {
      if (!rules().includes("198.51.100.7")) throw new Error("the ban is gone");
    },
  },
  {
    tool: "net.declared",
    name: "an address and the firewall, which something else has changed",
    prepare: async (world) => {
      fresh();
      await world.call("net.configure", { interface: "left", up: true, addresses: ["192.0.2.7/24"], routes: [] });
      await world.call("net.firewall", { set: { default: "closed" } });
      ip("address", "flush", "dev", "left");
      nft("delete", "table", "inet", "aios");
      return { restore: true };
    },
    observe: () => [ip("-json", "-4", "address", "show", "dev", "left").includes("192.0.2.7"), rules() !== ""],
    check: ({ drift }, _world) => {
      const what = (drift as { what: string }[]).map((one) => one.what).sort();
      if (what.join() !== "firewall,interface/left") throw new Error(`it saw ${what.join()}`);
      if (!rules().includes("policy drop")) throw new Error("the firewall is not there");
    },
    bad: () => [{ restore: "yes" }, { undo: true }],
    final: true,
  },
  {
    tool: "net.declared",
    name: "a link and the DNS servers of the machine config, which nobody declared otherwise",
    prepare: async (world) => {
      fresh();
      await world.call("net.firewall", { set: { default: "closed" } });
      ip("address", "flush", "dev", "left");
      ip("address", "add", "198.51.100.66/24", "dev", "left");
      const routes = [{ to: "default", via: "192.0.2.254" }];
      const told = { mtu: null, routes: [], leased_gateway: null, by_default: false, had_link: true, had_address: true };
      const links: ConfiguredLinks = [
        { ...told, name: "left", dhcp: false, mtu: 1400, addresses: ["192.0.2.7/24"], routes },
        { ...told, name: "right", dhcp: true, addresses: [], leased_gateway: "192.0.2.254" },
        { ...told, name: "unplugged", dhcp: false, addresses: ["192.0.2.8/24"] },
      ];
      mkdirSync(`${world.places.run}/net`, { recursive: true });
      mkdirSync(`${world.places.run}/etc`, { recursive: true });
      writeFileSync(`${world.places.run}/${configured_links}`, JSON.stringify(links));
      writeFileSync(`${world.places.run}/${configured_resolv}`, "nameserver 192.0.2.53\n");
      writeFileSync(`${world.places.run}/etc/resolv.conf`, "nameserver 203.0.113.66\n");
      return { restore: true };
    },
    observe: network,
    check: ({ drift }, { places }) => {
      const what = (drift as { what: string }[]).map((one) => one.what).sort();
      if (what.join() !== "dns,interface/left") throw new Error(`it saw ${what.join()}`);
      const seen = `${ip("-4", "address", "show", "dev", "left")} ${ip("-4", "route", "show", "default")}`;
      for (const part of ["mtu 1400", "192.0.2.7/24", "default via 192.0.2.254"])
        if (!seen.includes(part)) throw new Error(`there is no ${part}: ${seen}`);
      if (seen.includes("198.51.100.66")) throw new Error("an address of nobody's is still there");
      const resolv = readFileSync(`${places.run}/etc/resolv.conf`, "utf8");
      if (resolv !== "nameserver 192.0.2.53\n") throw new Error(`the servers are ${resolv}`);
    },
    final: true,
  },
  {
    tool: "net.listen",
    name: "a port behind a closed firewall",
    prepare: async (world) => {
      fresh();
      await world.call("net.firewall", { set: { default: "closed" } });
      return { port: 8080, owner: "web", sources: ["192.0.2.0/24", "2001:db8::/32"] };
    },
    observe: rules,
    bad: () => [
      { port: 0, owner: "web" },
      { port: 8080, owner: "Not A Service" },
      { port: 8081, owner: "web", remove: true },
    ],
  },
  {
    tool: "net.wireguard_create",
    name: "with an address",
    needs: "wireguard",
    prepare: () => {
      fresh();
      return { interface: "wg0", addresses: ["10.9.0.1/24"], listen_port: 51_820 };
    },
    observe: tunnels,
    effect: (world) => ({ ...tunnels(world), wireguard: null }), // a key of its own each time
    bad: () => [
      { interface: "left" },
      { interface: "wg0", remove: true },
      { interface: "wg0; reboot" },
      { interface: "wg0", addresses: ["10.9.0.1"] },
      { interface: "wg0", mtu: 100 },
    ],
  },
  {
    tool: "net.wireguard_peer",
    name: "a peer with a route",
    needs: "wireguard",
    prepare: async (world) => {
      fresh();
      await world.call("net.wireguard_create", { interface: "wg0", addresses: ["10.9.0.1/24"], listen_port: 51_820 });
      return {
        ...{ interface: "wg0", public_key: some_key, allowed_ips: ["10.9.0.2/32", "203.0.113.0/24"] },
        ...{ endpoint: { address: "192.0.2.2", port: 51_820 }, keepalive_s: 25 },
      };
    },
    observe: tunnels,
    effect: (world) => ({ ...tunnels(world), wireguard: null }),
    bad: () => [
      { interface: "wg0", public_key: "short", allowed_ips: ["10.9.0.2/32"] },
      { interface: "wg0", public_key: some_key },
      { interface: "wg0", public_key: some_key, remove: true },
      { interface: "left", public_key: some_key, allowed_ips: ["10.9.0.2/32"] },
    ],
  },
  {
    tool: "net.wireguard_status",
    name: "of a tunnel",
    needs: "wireguard",
    prepare: async (world) => {
      fresh();
      await world.call("net.wireguard_create", { interface: "wg0", addresses: ["10.9.0.1/24"], listen_port: 51_820 });
      return { interface: "wg0" };
    },
    observe: nothing,
    check: ({ tunnels: found }) => {
      const [one] = found as { listen_port: number }[];
      if (one?.listen_port !== 51_820) throw new Error(`it saw ${JSON.stringify(one)}`);
    },
    bad: () => [{ interface: "left" }],
  },
  {
    tool: "net.connections",
    name: "listeners",
    prepare: async () => {
      await listening(18_080);
      return { listening: true, port: 18_080 };
    },
    observe: nothing,
    check: ({ sockets }) => {
      const [one] = sockets as { local_port: number; local: string; pid: number | null }[];
      if (one?.local !== "127.0.0.1" || one.pid === null) throw new Error(`it saw ${JSON.stringify(sockets)}`);
    },
    bad: () => [{ port: 70_000 }, { protocol: "sctp" }],
    clean: close,
  },
  {
    tool: "net.connect",
    name: "to a listener",
    prepare: async () => {
      await listening(18_080);
      return { host: "127.0.0.1", port: 18_080 };
    },
    observe: nothing,
    check: ({ result }) => {
      if (result !== "connected") throw new Error(`it said ${String(result)}`);
    },
    bad: () => [
      { host: "no such host", port: 1 },
      { host: "127.0.0.1", port: 0 },
      { host: "-x", port: 1 },
    ],
    clean: close,
  },
  {
    tool: "net.dns",
    name: "of a server that does not answer",
    prepare: () => {
      fresh();
      return { name: "example.org", servers: ["127.0.0.1"], timeout_ms: 200 };
    },
    observe: nothing,
    bad: () => [{ name: "-" }, { name: "a..b" }, { name: "example.org", type: "ANY" }],
    fails: "failed",
  },
  {
    tool: "net.dns",
    name: "of a name that there is",
    prepare: async () => {
      fresh();
      await nameServer();
      return { name: "example.org", servers: ["127.0.0.1"] };
    },
    observe: nothing,
    check: ({ answer, records }) => {
      if (answer !== "found" || JSON.stringify(records) !== '["192.0.2.7"]') throw new Error(`it said ${JSON.stringify(records)}`);
    },
    clean: noNameServer,
  },
  {
    tool: "net.dns",
    name: "of a name that there is not",
    prepare: async () => {
      fresh();
      await nameServer();
      return { name: "nothing.example.org", type: "AAAA", servers: ["127.0.0.1"] };
    },
    observe: nothing,
    check: ({ answer, records }) => {
      if (answer !== "no-such-name" || JSON.stringify(records) !== "[]") throw new Error(`it said ${String(answer)}`);
    },
    clean: noNameServer,
  },
  {
    tool: "net.ping",
    name: "of this machine",
    prepare: () => {
      fresh();
      return { host: "127.0.0.1", count: 2, interval_ms: 100 };
    },
    observe: nothing,
    check: ({ received }) => {
      if (received !== 2) throw new Error(`${String(received)} came back`);
    },
    bad: () => [{ host: "127.0.0.1 -x" }, { host: "127.0.0.1", count: 0 }],
  },
  {
    tool: "net.trace",
    name: "to this machine",
    prepare: () => {
      fresh();
      return { host: "127.0.0.1", hops_max: 3 };
    },
    observe: nothing,
    check: ({ reached }) => {
      if (reached !== true) throw new Error("it did not get there");
    },
    bad: () => [{ host: "--help" }, { host: "127.0.0.1", hops_max: 0 }],
  },
  {
    tool: "net.http",
    name: "a page",
    looks: true,
    prepare: async () => {
      await listening(18_080);
      return { url: "http://127.0.0.1:18080/" };
    },
    observe: nothing,
    check: ({ status, body }) => {
      if (status !== 200 || body !== "hello") throw new Error(`it got ${String(status)} ${String(body)}`);
    },
    bad: () => [
      { url: "file:///etc/passwd" },
      { url: "http://user:word@127.0.0.1/" },
      { url: "http://127.0.0.1:18080/", method: "TRACE" },
      { url: "http://127.0.0.1:18080/", headers: { "x y": "1" } },
    ],
    clean: (world) => {
      close();
      rmSync(world.folder, { recursive: true, force: true });
    },
  },
];
