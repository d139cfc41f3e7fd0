/** sec.ban and sec.unban: what the kernel really lets through, in network namespaces of their own. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { renderBans } from "./shared/bans.ts";

setDefaultTimeout(60_000); // a machine may be busy

const from = (path: string): string => JSON.stringify(join(import.meta.dir, path));
const head = `
  import { execRig } from ${from("../../exec/testing/context.ts")};
  import { testPlaces, callTool, memoryState } from ${from("../../testing/context.ts")};
  import { ban } from ${from("ban.ts")};
  import { unban } from ${from("unban.ts")};
  import { applyBans, bansNow, isApplied } from ${from("shared/bans.ts")};
  import { fresh, ip, nft } from ${from("../net/testing/links.ts")};
  const tests = testPlaces();
  const rig = execRig(tests);
  const end = (value) => { tests.remove(); console.log(JSON.stringify(value)); process.exit(0); };
  const told = (tool, input, over) => callTool(tool, input, rig.context(over)).then(() => "done", (error) => error.message);
`;

/** A second end in a namespace of its own, at 192.0.2.2 and 2001:db8::2, that pings us. */
const neighbour = `
  const held = Bun.spawn(["unshare", "--net", "sleep", "60"]);
  while (true) { const ns = Bun.spawnSync(["readlink", "/proc/" + held.pid + "/ns/net"]).stdout.toString(); if (ns !== "" && ns !== Bun.spawnSync(["readlink", "/proc/self/ns/net"]).stdout.toString()) break; await Bun.sleep(10); }
  const there = (...argv) => Bun.spawnSync(["nsenter", "--net", "--target", String(held.pid), ...argv]);
  const ends = () => held.kill();
  ip("link", "set", "lo", "up");
  ip("link", "add", "left", "type", "veth", "peer", "name", "right", "netns", String(held.pid));
  ip("link", "set", "left", "up");
  ip("address", "add", "192.0.2.1/24", "dev", "left");
  ip("address", "add", "2001:db8::1/64", "dev", "left", "nodad");
  for (const argv of [["link", "set", "lo", "up"], ["link", "set", "right", "up"], ["address", "add", "192.0.2.2/24", "dev", "right"], ["address", "add", "192.0.2.3/24", "dev", "right"], ["address", "add", "2001:db8::2/64", "dev", "right", "nodad"]]) there("ip", ...argv);
  const arrives = (source, to = "192.0.2.1") => there("fping", "-q", "-c", "1", "-t", "400", "-r", "3", "-S", source, to).exitCode === 0;
`;

test("what is banned does not come through, the rest does; a ban with a time ends by itself, one that is lifted at once", async () => {
  const value = await valueInNamespaces(`${head}${neighbour}
    for (let tries = 0; tries < 50 && !(arrives("192.0.2.2") && arrives("2001:db8::2", "2001:db8::1")); tries += 1) await Bun.sleep(100);
    const before = [arrives("192.0.2.2"), arrives("2001:db8::2", "2001:db8::1")];
    await callTool(ban, { address: "192.0.2.2", why: "a test" }, rig.context());
    await callTool(ban, { address: "2001:db8::2/128", for_s: null, why: "a test" }, rig.context());
    const banned = [arrives("192.0.2.2"), arrives("192.0.2.3"), arrives("2001:db8::2", "2001:db8::1")];
    await callTool(unban, { address: "192.0.2.2" }, rig.context());
    const lifted = arrives("192.0.2.2");
    await callTool(ban, { address: "192.0.2.2", for_s: 1, why: "a test" }, rig.context());
    const again = arrives("192.0.2.2");
    let ended = false;
    for (let tries = 0; tries < 100 && !ended; tries += 1) ended = arrives("192.0.2.2");
    ends();
    end({ before, banned, lifted, again, ended });
  `);
  expect(value).toEqual({ before: [true, true], banned: [false, true, false], lifted: true, again: false, ended: true });
});

test("a connection that a banned host has open hears nothing more", async () => {
  const value = await valueInNamespaces(`${head}${neighbour}
    import { createServer } from "node:net";
    for (let tries = 0; tries < 50 && !arrives("192.0.2.2"); tries += 1) await Bun.sleep(100);
    let heard = 0;
    const server = createServer((socket) => { socket.on("data", (data) => { heard += data.length; }); socket.on("error", () => {}); });
    await new Promise((resolve) => server.listen(5000, "192.0.2.1", resolve));
    const script = 'const s=require("net").connect(5000,"192.0.2.1");s.on("error",()=>{});setInterval(()=>s.write("x"),20)';
    const client = Bun.spawn(["nsenter", "--net", "--target", String(held.pid), process.execPath, "-e", script]);
    while (heard === 0) await Bun.sleep(10);
    await callTool(ban, { address: "192.0.2.2", why: "a test" }, rig.context());
    const at_ban = heard;
    await Bun.sleep(300);
    client.kill(); ends();
    end({ after: heard - at_ban });
  `);
  expect(value).toEqual({ after: 0 });
});

test("made again after a reboot with the rest of its time; what is over meanwhile is not", async () => {
  const value = await valueInNamespaces(`${head}
    fresh();
    let now_ms = 1_700_000_000_000;
    const clock = { now_ms: () => now_ms, boot_ms: () => 0 };
    await callTool(ban, { address: "198.51.100.7", for_s: 600, why: "a test" }, rig.context({ clock }));
    await callTool(ban, { address: "198.51.100.8", for_s: 60, why: "a test" }, rig.context({ clock }));
    const lifted = await callTool(unban, { address: "198.51.100.8" }, rig.context({ clock }));
    nft("delete", "table", "inet", "aios_bans"); // the kernel forgets
    now_ms += 400_000;
    await applyBans(rig.context({ clock }));
    const rest = /198.51.100.7 timeout (\\S+) expires (\\S+)/.exec(nft("list", "ruleset"));
    await lifted.undo(); // its time is over meanwhile: nothing comes back
    now_ms += 400_000;
    await applyBans(rig.context({ clock }));
    end({ timeout: rest[1], expires: rest[2].slice(0, 4), after: nft("list", "ruleset"), left: bansNow(rig.context({ clock })) });
  `);
  expect(value).toEqual({ timeout: "10m", expires: expect.stringMatching(/^3m(19|20)$|^3m19|^3m20|^3m/), after: "", left: [] });
});

test("lifelines: the gateway, DNS, who is connected to the console; named, they have to be confirmed", async () => {
  const value = await valueInNamespaces(`${head}
    import { createServer, connect } from "node:net";
    import { mkdirSync, writeFileSync } from "node:fs";
    fresh();
    ip("route", "add", "default", "via", "192.0.2.254");
    ip("address", "add", "203.0.113.9/32", "dev", "lo");
    mkdirSync(tests.places.run + "/etc");
    writeFileSync(tests.places.run + "/etc/resolv.conf", "nameserver 203.0.113.53\\nnameserver nonsense\\n");
    const server = createServer(() => {});
    await new Promise((resolve) => server.listen(5000, "127.0.0.1", resolve));
    const peer = connect({ port: 5000, host: "127.0.0.1", localAddress: "203.0.113.9" });
    await new Promise((resolve) => peer.once("connect", resolve));
    ip("address", "del", "203.0.113.9/32", "dev", "lo"); // it is somebody else's from here
    const init = { call: async () => [{ pid: process.pid, service: "console" }] };
    const answers = [];
    for (const address of ["192.0.2.254", "203.0.113.53", "203.0.113.9", "192.0.2.1", "192.0.0.0/16"]) answers.push(await told(ban, { address, why: "x" }, { init }));
    const named = ban.input.parse({ address: "192.0.2.254", why: "x", even_if: ["gateway"] });
    const target = await ban.resolve(named, rig.context({ init }));
    end({ answers, seen: target.resources, confirm: [ban.confirmWithin(named), ban.confirmWithin(ban.input.parse({}))] });
  `);
  const failed = (what: string): string => `banning "${what}`;
  expect(value).toMatchObject({
    answers: [
      `${failed("192.0.2.254/32")}" failed: it is or holds the default gateway 192.0.2.254; if that is meant, say "even_if": ["gateway"]`,
      `${failed("203.0.113.53/32")}" failed: it is or holds the DNS server 203.0.113.53; if that is meant, say "even_if": ["dns"]`,
      `${failed("203.0.113.9/32")}" failed: it is or holds somebody connected to the console, 203.0.113.9; if that is meant, say "even_if": ["console"]`,
      `${failed("192.0.2.1/32")}" failed: it is or holds this machine's own address 192.0.2.1; if that is meant, say "even_if": ["own-network"]`,
      expect.stringContaining(`"even_if": ["gateway","own-network"]`),
    ],
    seen: [{ id: "192.0.2.254/32", attributes: { lifeline: true, single: true, reach: "public", duration_ms: 3_600_000 } }],
    confirm: [120, 0],
  });
});

test("why: as it is said; else the reason of the call; without either there is no ban", async () => {
  const value = await valueInNamespaces(`${head}
    fresh();
    await callTool(ban, { address: "198.51.100.7", why: " its own " }, rig.context({ why: "the call's" }));
    await callTool(ban, { address: "198.51.100.8" }, rig.context({ why: "the call's" }));
    const none = await told(ban, { address: "198.51.100.9" });
    end({ why: bansNow(rig.context()).map((one) => one.why), none });
  `);
  expect(value).toEqual({
    why: ["its own", "the call's"],
    none: 'banning "198.51.100.9/32" failed: say in "why" what it has done',
  });
});

test("several at once: the kernel has them all", async () => {
  const value = await valueInNamespaces(`${head}
    fresh();
    const all = Array.from({ length: 12 }, (_, n) => "198.51.100." + n);
    await Promise.all(all.map((address) => callTool(ban, { address, why: "x" }, rig.context())));
    end(await Promise.all(all.map((address) => bansNow(rig.context()).length === 12 && isApplied(rig.context(), address))));
  `);
  expect(value).toEqual(new Array(12).fill(true));
});

test("a transaction: without bans no table; networks that hold one another do not collide", () => {
  expect(renderBans([], 0)).toHaveLength(2);
  const ban = (network: string) => ({ network, why: "", by: "system", call: "", since_ms: 0, until_ms: null });
  const sets = renderBans(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "10.9.0.0/16"].map(ban), 0).flatMap(({ add }) =>
    typeof add === "object" && add !== null && "set" in add ? [add.set] : [],
  );
  expect(sets).toMatchObject([
    { name: "ip_8", elem: ["10.0.0.0"] },
    { name: "ip_16", elem: ["10.1.0.0", "10.9.0.0"] },
    { name: "ip_32", elem: ["10.1.2.3"] },
  ]);
});
