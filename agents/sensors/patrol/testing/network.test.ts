/** The network as the patrol sees it, with the real tools on real links, in namespaces of its own. */

import { expect, test } from "bun:test";
import { inNamespaces, rig_source } from "./namespaces.ts";

/** `figures` asks a patrol that has just been started anew, unless it is given one that runs already. */
const source = `${rig_source}
const { NetworkPatrol } = await import(room("network.ts"));
const { writeFileSync } = await import("node:fs");
const { join } = await import("node:path");
const started = (mode = "container") => new NetworkPatrol(async () => mode);
const figures = async (patrol = started()) => Object.fromEntries((await patrol.look(ask)).filter(({ subject }) => subject !== "far0").map(({ figure, subject, value }) => [figure + " of " + subject, value]));
const route = async (patrol) => (await figures(patrol))["net.route_lost of default"];
/** As PID 1 writes it (init/boot/network.ts). */
const told = (more) => {
  mkdirSync(join(tests.places.run, "net"), { recursive: true });
  const link = { name: "wire0", dhcp: false, mtu: null, addresses: [], routes: [], leased_gateway: null, by_default: false, had_link: true, had_address: true, ...more };
  writeFileSync(join(tests.places.run, "net/links.json"), JSON.stringify([link]));
};
ip("link set lo up");
ip("link add wire0 type veth peer name far0");
ip("link set far0 up"); // the other end
`;
const inNetwork = (more: string): Promise<unknown> => inNamespaces(["--net", "--mount"], source + more);

test("links and addresses: one that is down on purpose, one without carrier, one with an address that anybody has, one of a bridge", async () => {
  const value = await inNetwork(`
    const seen = [await figures()]; // down
    ip("link set wire0 up");
    seen.push(await figures());
    ip("address add 169.254.7.7/16 dev wire0");
    seen.push(await figures());
    ip("address add 10.4.0.2/24 dev wire0");
    seen.push(await figures(), await figures(started("machine"))); // on a machine a veth is no wire
    ip("address flush dev wire0");
    ip("address add fd04::2/64 dev wire0 nodad");
    seen.push(await figures());
    ip("address flush dev wire0");
    ip("link add lan type bridge");
    ip("link set wire0 master lan");
    seen.push(await figures());
    ip("link set far0 down");
    seen.push(await figures());
    say(seen);
  `);
  const nothing = { "net.route_lost of default": 0 };
  const well = { ...nothing, "net.no_link of wire0": 0 };
  expect(value).toEqual([
    nothing,
    { ...well, "net.no_address of wire0": 1 },
    { ...well, "net.no_address of wire0": 1 },
    { ...well, "net.no_address of wire0": 0 },
    nothing,
    { ...well, "net.no_address of wire0": 0 },
    well,
    { ...nothing, "net.no_link of wire0": 1 },
  ]);
}, 300_000);

test("a port that nobody named is no fault until it has had a link, then an address, also for a patrol started anew", async () => {
  const value = await inNetwork(`
    const spare = { dhcp: true, by_default: true, had_link: false, had_address: false };
    const seen = [];
    const look = async (more) => { told(more); const all = await figures(); seen.push([all["net.no_link of wire0"], all["net.no_address of wire0"] ?? null]); };
    ip("link set far0 down");
    ip("link set wire0 up");
    await look(spare);
    await look({ ...spare, by_default: false }); // aios.yaml names it
    await look({ ...spare, had_link: true });
    ip("link set far0 up");
    await look({ ...spare, had_link: true });
    await look({ ...spare, had_link: true, had_address: true });
    ip("link set far0 down");
    await look(spare);
    await ask("net.configure", { interface: "wire0", addresses: [] });
    await look(spare);
    say(seen);
  `);
  expect(value).toEqual([
    [0, null],
    [1, null],
    [1, null],
    [0, 0],
    [0, 1],
    [0, null],
    [1, null],
  ]);
}, 300_000);

test("a default route that was configured, leased or declared is missed by a patrol that never saw it; what nobody named by one that did", async () => {
  const value = await inNetwork(`
    const seen = {};
    ip("link set wire0 up");
    ip("address add 10.4.0.2/24 dev wire0");
    const runs = started();
    seen.none = [await route(runs), await route()];
    ip("route add default via 10.4.0.1");
    seen.unnamed = [await route(runs)];
    ip("route delete default");
    seen.unnamed.push(await route(runs), await route());
    told({ addresses: ["10.4.0.2/24"], routes: [{ to: "default", via: "10.4.0.1" }] });
    seen.configured = [await route()];
    ip("address add fd04::2/64 dev wire0 nodad");
    ip("-6 route add default via fd04::1");
    seen.configured.push(await route()); // of the other family
    ip("route add default via 10.4.0.1");
    seen.configured.push(await route());
    ip("-6 route delete default");
    told({ dhcp: true, leased_gateway: "10.4.0.1" });
    seen.leased = [await route()];
    ip("route delete default");
    seen.leased.push(await route());
    told({ dhcp: true });
    seen.leased.push(await route());
    await ask("net.configure", { interface: "wire0", routes: [{ to: "default", via: "10.4.0.1" }] });
    seen.declared = [await route(runs)];
    ip("route delete default");
    seen.declared.push(await route(runs), await route());
    await ask("net.configure", { interface: "wire0", routes: [] });
    seen.declared.push(await route(runs), await route()); // on purpose
    const { gateways } = await ask("net.interfaces", {});
    say({ ...seen, gateways });
  `);
  expect(value).toEqual({
    none: [0, 0],
    unnamed: [0, 1, 0],
    configured: [1, 1, 0],
    leased: [0, 1, 0],
    declared: [0, 1, 1, 0, 0],
    gateways: [],
  });
}, 300_000);

test("a lease that lapses is an alarm of its interface after a minute, and its route is none", async () => {
  const value = await inNetwork(`
    const { Alarms } = await import(room("../alarms/alarms.ts"));
    const { bundled_alarms } = await import(room("../alarms/index.ts"));
    const { loadAlarms } = await import(room("../alarms/load.ts"));
    const raised = [];
    const alarms = new Alarms(loadAlarms(bundled_alarms).loaded, ({ facts }) => raised.push(facts.alarm + " of " + facts.subject + ": " + facts.raised));
    const patrol = started();
    const look = async (at_ms) => alarms.take(["net.no_link", "net.no_address", "net.route_lost"], await patrol.look(ask), at_ms);
    ip("link set wire0 up");
    ip("address add 10.4.0.1/24 dev far0");
    ip("address add 10.4.0.50/24 dev wire0 valid_lft 3600 preferred_lft 3600");
    ip("route add default via 10.4.0.1 proto dhcp");
    told({ dhcp: true, leased_gateway: "10.4.0.1" });
    await look(0);
    // as dhcpcd and PID 1 leave it after EXPIRE: net.lease without address (init/boot/network.test.ts has the real ones)
    ip("address flush dev wire0");
    told({ dhcp: true });
    for (const at_ms of [30_000, 60_000, 90_000]) await look(at_ms);
    const lapsed = [...raised];
    ip("address add 10.4.0.50/24 dev wire0");
    await look(120_000);
    say([lapsed, raised.slice(lapsed.length)]);
  `);
  expect(value).toEqual([["no-address of wire0: true"], ["no-address of wire0: false"]]);
}, 300_000);

test("names: a server that answers that there is none is well, and none is asked where none is set", async () => {
  const value = await inNetwork(`
    const resolv = join(tests.work, "resolv.conf");
    writeFileSync(resolv, "nameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n");
    Bun.spawnSync(["mount", "--bind", resolv, "/etc/resolv.conf"]);
    const seen = [(await figures())["dns.silent of dns"] ?? null];
    mkdirSync(join(tests.places.run, "etc"), { recursive: true });
    writeFileSync(join(tests.places.run, "etc/resolv.conf"), "nameserver 127.0.0.1\\n");
    seen.push((await figures())["dns.silent of dns"]);
    // RFC 1035, 4.1.1: an answer with code 3, no such name
    await Bun.udpSocket({ port: 53, hostname: "127.0.0.1", socket: { data(socket, asked, port, address) {
      const reply = Buffer.from(asked);
      reply[2] |= 0x80;
      reply[3] = 3;
      socket.send(reply, port, address);
    } } });
    seen.push((await figures())["dns.silent of dns"]);
    say(seen);
  `);
  expect(value).toEqual([null, 1, 0]);
}, 300_000);
