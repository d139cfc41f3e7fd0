/** The network phase on real links, in network and mount namespaces of its own; /run is a tmpfs there. */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Link } from "../../sys/netlink/route.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { default_config } from "../defaults.ts";
import { configFor, resolvConf } from "./network.ts";
import { chronyConfigText, dhcpcdConfigText } from "./programs.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));
const imports = `
import { loopback, network } from ${here("network.ts")};
import { dhcpHook } from ${here("../dhcp-hook.ts")};
import { testBoot } from ${here("testing.ts")};
import { MachineConfig } from ${here("../../contracts/config.ts")};
import { spawnSync } from "node:child_process";
import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
const ip = (line) => spawnSync("ip", line.split(" ")).stdout.toString();
sys.mount.mount({ source: "run", target: "/run", type: "tmpfs" });
mkdirSync("/run/aios/etc", { recursive: true });
const until = async (what) => { while (!what()) await Bun.sleep(10); }; // what never comes ends with the time limit of the program
`;

test("loopback comes up", async () => {
  const source = `await loopback.run(testBoot(sys)); console.log(JSON.stringify(ip("address show dev lo").includes("127.0.0.1")));`;
  expect(await valueInNamespaces(source, { imports })).toBe(true);
});

describe("configured links", () => {
  test("address, route, MTU and resolver as configured; one that comes later gets them too; what changes is told", async () => {
    const value = await valueInNamespaces(
      `
      ip("link add wire0 type veth peer name wire1");
      ip("link set wire1 up");
      const boot = testBoot(sys);
      boot.state.config = MachineConfig.parse({ network: { dns: ["9.9.9.9"], interfaces: [
        { match: { name: "wire0" }, addresses: ["10.1.0.2/24", "fd01::2/64"], gateway: "10.1.0.1", mtu: 1400, routes: [{ to: "10.7.0.0/16", via: "10.1.0.7" }], dns: ["10.1.0.53"] },
        { match: { name: "late0" }, addresses: ["10.2.0.2/24"] },
      ] } });
      const result = await network.run(boot);
      const link = sys.netlink.links().find((each) => each.name === "wire0");
      const routes = sys.netlink.routes().filter((route) => route.via !== null).map((route) => route.to + " " + route.via).sort();
      const resolv = readFileSync("/run/aios/etc/resolv.conf", "utf8");
      ip("link add late0 type veth peer name late1");
      await until(() => ip("address show dev late0").includes("10.2.0.2/24"));
      const late = ip("address show dev late0").includes("10.2.0.2/24");
      dhcpHook({ reason: "BOUND", interface: "wire0", new_ip_address: "10.1.0.99", new_domain_name_servers: "10.1.0.54", new_ntp_servers: "10.1.0.123" });
      await until(() => boot.told.events.some((event) => event.kind === "net.lease"));
      ip("link set wire1 down");
      await until(() => boot.told.events.some((event) => event.kind === "net.link" && event.severity === "warning" && event.facts.interface === "wire0"));
      console.log(JSON.stringify({
        result: result.degradation?.detail, mtu: link.mtu, up: link.up, routes, resolv, late,
        addresses: ip("address show dev wire0").match(/inet6? (10|fd01)[^ ]*/g),
        lease: boot.told.events.find((event) => event.kind === "net.lease")?.facts,
        address: boot.told.events.some((event) => event.kind === "net.address" && event.facts.address === "10.2.0.2/24" && event.facts.added),
        lost: boot.told.events.find((event) => event.kind === "net.link" && event.severity === "warning" && event.facts.interface === "wire0")?.facts.interface,
        resolv_after: readFileSync("/run/aios/etc/resolv.conf", "utf8"),
        chrony: readFileSync("/run/aios/etc/chrony.conf", "utf8").split("\\n")[0],
        programs: boot.told.programs.map((program) => program.name),
      }));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual({
      result: 'aios.yaml configures "late0", and no such device is here',
      mtu: 1400,
      up: true,
      routes: ["0.0.0.0/0 10.1.0.1", "10.7.0.0/16 10.1.0.7"],
      resolv: "nameserver 9.9.9.9\nnameserver 10.1.0.53\n",
      late: true,
      addresses: ["inet 10.1.0.2/24", "inet6 fd01::2/64"],
      lease: { interface: "wire0", reason: "BOUND", address: "10.1.0.99" },
      address: true,
      lost: "wire0",
      resolv_after: "nameserver 9.9.9.9\nnameserver 10.1.0.53\nnameserver 10.1.0.54\n",
      chrony: "server 10.1.0.123 iburst",
      programs: ["chronyd"],
    });
  });

  test("the broker is told what is right; servers that somebody declared stay when a lease changes", async () => {
    const value = await valueInNamespaces(
      `
      const text = (name) => readFileSync("/run/aios/" + name, "utf8");
      const links = () => JSON.parse(text("net/links.json"));
      ip("link add wire0 type veth peer name wire1");
      const boot = testBoot(sys);
      boot.state.config = MachineConfig.parse({ network: { dns: ["9.9.9.9"], interfaces: [
        { match: { name: "wire0" }, addresses: ["10.1.0.2/24"], gateway: "10.1.0.1", mtu: 1400, routes: [{ to: "10.7.0.0/16", via: "10.1.0.7" }] },
        { match: { name: "late0" }, addresses: ["10.2.0.2/24"] },
      ] } });
      const { degradation } = await network.run(boot);
      boot.degrade("network", degradation);
      const missing = [boot.told.degradations.get("network")];
      await until(() => links()[0].had_address);
      const first = { links: links(), own: text("net/resolv.conf") };
      ip("link add late0 type veth peer name late1");
      await until(() => links().length === 2);
      missing.push(boot.told.degradations.get("network") ?? null);
      ip("link delete late0");
      await until(() => links().length === 1);
      missing.push(boot.told.degradations.get("network"));
      writeFileSync("/run/aios/etc/resolv.conf", "nameserver 10.1.0.99\\n");
      dhcpHook({ reason: "BOUND", interface: "wire0", new_ip_address: "10.1.0.99", new_domain_name_servers: "10.1.0.54", new_routers: "10.1.0.3" });
      await until(() => text("net/resolv.conf").includes("10.1.0.54"));
      console.log(JSON.stringify({ ...first, missing, own_after: text("net/resolv.conf"), used_after: text("etc/resolv.conf"), leased_after: links()[0].leased_gateway }));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual({
      links: [
        {
          ...{ name: "wire0", dhcp: false, mtu: 1400, addresses: ["10.1.0.2/24"], leased_gateway: null },
          ...{ by_default: false, had_link: false, had_address: true },
          routes: [
            { to: "10.7.0.0/16", via: "10.1.0.7" },
            { to: "default", via: "10.1.0.1" },
          ],
        },
      ],
      missing: [expect.stringContaining('"late0", and no such device'), null, expect.stringContaining('"late0", and no such device')],
      own: "nameserver 9.9.9.9\n",
      own_after: "nameserver 9.9.9.9\nnameserver 10.1.0.54\n",
      used_after: "nameserver 10.1.0.99\n",
      leased_after: "10.1.0.3",
    });
  });

  test("a device that nobody named is told as such, and since when it has had a link and an address", async () => {
    const value = await valueInNamespaces(
      `
      const told = () => { const [{ name, dhcp, by_default, had_link, had_address }] = JSON.parse(readFileSync("/run/aios/net/links.json", "utf8")); return [name, dhcp, by_default, had_link, had_address]; };
      sys.mount.mount({ source: "class", target: "/sys/class/net", type: "tmpfs" });
      mkdirSync("/sys/class/net/wire0/device", { recursive: true }); // as one of the hardware
      ip("link add wire0 type veth peer name wire1");
      await network.run(testBoot(sys));
      const seen = [told()];
      ip("link set wire1 up");
      await until(() => told()[3]);
      await until(() => ip("address show dev wire0").includes("fe80:"));
      seen.push(told());
      ip("address add 10.1.0.9/24 dev wire0");
      await until(() => told()[4]);
      ip("address flush dev wire0");
      ip("link set wire1 down");
      await until(() => ip("link show dev wire0").includes("NO-CARRIER"));
      await Bun.sleep(100);
      seen.push(told());
      console.log(JSON.stringify(seen));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual([
      ["wire0", true, true, false, false],
      ["wire0", true, true, true, false],
      ["wire0", true, true, true, true],
    ]);
  });

  test("time servers of the config win over those of a lease, and a malformed one is said", async () => {
    const value = await valueInNamespaces(
      `
      const boot = testBoot(sys);
      boot.state.config = MachineConfig.parse({ network: { ntp: ["time.example.org", "not a host"] } });
      mkdirSync("/run/aios/net/leases", { recursive: true });
      dhcpHook({ reason: "BOUND", interface: "wire0", new_ip_address: "10.1.0.99", new_ntp_servers: "10.1.0.123" });
      await network.run(boot);
      const config = readFileSync("/run/aios/etc/chrony.conf", "utf8");
      console.log(JSON.stringify({ servers: config.match(/^server .*/gm), said: boot.told.degradations.get("time servers") }));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual({
      servers: ["server time.example.org iburst"],
      said: 'network.ntp: "not a host" is neither an address nor a host name',
    });
  });

  test("in a container the clock is left to the host", async () => {
    const value = await valueInNamespaces(
      `
      const boot = testBoot(sys, "container");
      boot.state.config = MachineConfig.parse({ network: { ntp: ["time.example.org"] } });
      await network.run(boot);
      console.log(JSON.stringify(boot.told.programs));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual([]);
  });

  test("a route that cannot be costs only itself; without any device the system goes on", async () => {
    const value = await valueInNamespaces(
      `
      const bare = await network.run(testBoot(sys));
      ip("link add wire0 type veth peer name wire1");
      const boot = testBoot(sys);
      boot.state.config = MachineConfig.parse({ network: { interfaces: [{ match: { name: "wire0" }, addresses: ["10.1.0.2/24"], gateway: "172.31.0.1" }] } });
      const result = await network.run(boot);
      console.log(JSON.stringify([bare.detail, result.outcome, result.detail.includes("ENETUNREACH"), ip("address show dev wire0").includes("10.1.0.2/24")]));
      process.exit(0);
      `,
      { imports },
    );
    expect(value).toEqual(["there is no network device; everything else works", "degraded", true, true]);
  });
});

/** The client with our hook, on `wire0`, whose other end is `server0`. */
const hook = `
#!/bin/sh
exec ${process.execPath} -e 'import { dhcpHook } from ${here("../dhcp-hook.ts")}; process.exit(dhcpHook(process.env))'
`.trim();
const client = `
import { chmodSync } from "node:fs";
import { dhcpcdConfigText } from ${here("programs.ts")};
ip("link add wire0 type veth peer name server0");
ip("address add 10.3.0.1/24 dev server0");
ip("link set server0 up"); ip("link set lo up");
sys.mount.mount({ source: "state", target: "/var/lib/dhcpcd", type: "tmpfs" });
const boot = testBoot(sys);
boot.state.config = MachineConfig.parse({ network: { interfaces: [{ match: { name: "wire0" }, dhcp: true }] } });
const startClient = async () => {
  await network.run(boot);
  writeFileSync("/run/hook", ${JSON.stringify(hook)}); chmodSync("/run/hook", 0o755);
  writeFileSync("/run/dhcpcd.conf", dhcpcdConfigText(["wire0"], "/run/hook"));
  const { argv } = boot.told.programs[0];
  Bun.spawn(argv.map((word) => word === "/run/aios/etc/dhcpcd.conf" ? "/run/dhcpcd.conf" : word), { stdout: "ignore", stderr: "ignore" });
};
const leases = () => boot.told.events.filter((event) => event.kind === "net.lease").map((event) => event.facts);
const held = () => leases().find((lease) => lease.address !== null);
const gateway = () => JSON.parse(readFileSync("/run/aios/net/links.json", "utf8"))[0].leased_gateway;
`;
const with_client = {
  imports: imports + client,
  namespaces: ["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"],
};

test("DHCP by the real dhcpcd from a real server, and our hook tells of it", async () => {
  const value = await valueInNamespaces(
    `
    const server = Bun.spawn(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=server0", "--bind-interfaces", "--dhcp-range=10.3.0.50,10.3.0.60,1h",
      "--dhcp-option=option:dns-server,10.3.0.53", "--dhcp-option=option:ntp-server,10.3.0.123", "--dhcp-option=option:router,10.3.0.8",
      "--dhcp-option=option:classless-static-route,10.7.0.0/16,10.3.0.7,0.0.0.0/0,10.3.0.9", "--dhcp-leasefile=/run/leases", "--user=root"], { stdout: "ignore", stderr: "ignore" });
    await startClient();
    await until(() => held() !== undefined);
    const address = ip("address show dev wire0").match(/inet (10[.]3[.]0[.]\\d+)/)?.[1];
    await until(() => readFileSync("/run/aios/etc/resolv.conf", "utf8") !== "" && boot.told.programs.some((program) => program.name === "chronyd"));
    await until(() => ip("route show default") !== "");
    console.log(JSON.stringify({ same: held()?.address === address, in_range: /^10[.]3[.]0[.](5\\d|60)$/.test(address), reason: held()?.reason,
      resolv: readFileSync("/run/aios/etc/resolv.conf", "utf8"), chrony: boot.told.programs.find((program) => program.name === "chronyd")?.reason,
      gateway: gateway(), route: ip("route show default").match(/via (\\S+)/)?.[1] }));
    process.exit(0); // PID 1 of its namespace: takes both along; dhcpcd may hang on a TERM that comes while it announces its address
    `,
    with_client,
  );
  expect(value).toEqual({
    same: true,
    in_range: true,
    reason: "BOUND",
    resolv: "nameserver 10.3.0.53\n",
    chrony: "time servers: 10.3.0.123",
    gateway: "10.3.0.9",
    route: "10.3.0.9",
  });
}, 300_000);

/**
 * Answers DHCP (RFC 2131, RFC 2132) with 10.3.0.50 for 20 s, the shortest that dhcpcd takes (dnsmasq gives none below two minutes),
 * until it is told to be silent.
 */
const brief_server = `
ip("route add 255.255.255.255 dev server0");
let silent = false;
const replies = { 1: 2, 3: 5 }; // DISCOVER: OFFER; REQUEST: ACK
const server = await Bun.udpSocket({ port: 67, hostname: "0.0.0.0", socket: { data(socket, asked) {
  const type = replies[asked[asked.indexOf(Buffer.from([53, 1]), 240) + 2]];
  if (silent || type === undefined) return;
  const reply = Buffer.alloc(240);
  asked.copy(reply, 0, 0, 12);
  asked.copy(reply, 28, 28, 44);
  reply[0] = 2;
  reply.set([10, 3, 0, 50], 16);
  reply.set([99, 130, 83, 99], 236);
  const options = [53, 1, type, 54, 4, 10, 3, 0, 1, 51, 4, 0, 0, 0, 20, 1, 4, 255, 255, 255, 0, 3, 4, 10, 3, 0, 1, 255];
  socket.send(Buffer.concat([reply, Buffer.from(options), Buffer.alloc(60)]), 68, "255.255.255.255");
} } });
server.setBroadcast(true);
`;

test("a server that is gone: when the lease is over, its address and route go, and PID 1 tells of it", async () => {
  const value = await valueInNamespaces(
    `${brief_server}
    await startClient();
    await until(() => held() !== undefined && ip("route show default") !== "");
    const before = { gateway: gateway(), address: held().address };
    silent = true;
    await until(() => leases().at(-1).address === null && ip("route show default") === "" && gateway() === null);
    console.log(JSON.stringify({ ...before, last: leases().at(-1), left: ip("-4 address show dev wire0") }));
    process.exit(0);
    `,
    with_client,
  );
  expect(value).toEqual({
    gateway: "10.3.0.1",
    address: "10.3.0.50",
    last: { interface: "wire0", reason: "EXPIRE", address: null },
    left: "",
  });
}, 300_000);

describe("what is decided", () => {
  const link: Link = {
    index: 2,
    name: "eth0",
    mac: "52:54:00:00:00:01",
    mtu: 1500,
    up: false,
    carrier: false,
    loopback: false,
    ethernet: true,
  };

  test("an entry by MAC or name wins; else DHCP on what is a real device; else nothing", () => {
    const own = { match: { mac: "52:54:00:00:00:01" }, dhcp: false, addresses: ["10.0.0.1/8"], routes: [], dns: [] };
    expect(configFor(link, { ...default_config.network, interfaces: [own] }, true)).toBe(own);
    expect(configFor(link, default_config.network, true)).toMatchObject({ dhcp: true, match: { name: "eth0" } });
    expect(configFor(link, default_config.network, false)).toBeNull();
    expect(configFor(link, { ...default_config.network, default: "none" }, true)).toBeNull();
    expect(configFor({ ...link, loopback: true }, default_config.network, true)).toBeNull();
  });

  test("texts for the programs hold nothing that a config or a lease could smuggle in", () => {
    expect(chronyConfigText(["a.example", "x iburst\ncmdport 323", "10.0.0.1"]).match(/^server .*/gm)).toEqual([
      "server a.example iburst",
      "server 10.0.0.1 iburst",
    ]);
    expect(dhcpcdConfigText(["eth0", "eth1"])).toContain("allowinterfaces eth0 eth1\n");
    expect(resolvConf({ ...default_config.network, dns: ["1.1.1.1", "1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"] }, [])).toBe(
      "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n",
    );
  });
});
