/** net.firewall and net.listen through a whole broker: what nobody confirms comes back, and what holds after a restart. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../../sys/testing.ts";

setDefaultTimeout(60_000); // a machine may be busy

const from = (path: string): string => JSON.stringify(join(import.meta.dir, path));
const head = `
  import { mkdtempSync, rmSync } from "node:fs";
  import { CallMeta } from ${from("../../../contracts/tool.ts")};
  import { restorers } from ${from("../index.ts")};
  import { authorityFor, openTestBroker } from ${from("../../testing/open.ts")};
  import { fresh, nft } from ${from("testing/links.ts")};
  const folder = mkdtempSync("/tmp/firewall-");
  const open = (more = {}) => openTestBroker(folder, { authority: authorityFor("allow"), ...more });
  const made = async (broker, tool, args, meta = {}) => (await broker.calls.make({ principal: "person:tester", role: "admin", owner: null, tool, arguments: args, meta: CallMeta.parse({ reason: { text: "a test" }, ...meta }), undoes: null, redoes: null }))._meta;
  const rules = () => ["aios", "aios_bans"].map((table) => nft("--stateless", "list", "table", "inet", table)).join();
  const end = async (broker, value) => { await broker.close(); rmSync(folder, { recursive: true }); console.log(JSON.stringify(value)); process.exit(0); };
  fresh();
`;

test("a firewall, an interface and a ban of a lifeline that nobody confirms are taken back; one that is confirmed stays", async () => {
  const value = await valueInNamespaces(`${head}
    const { ip } = await import(${from("testing/links.ts")});
    ip("route", "add", "default", "via", "192.0.2.254");
    const broker = await open();
    await made(broker, "net.firewall", { set: { default: "open" } }, { confirm_within_s: 0 });
    const before = [rules(), ip("link", "show", "left")];
    const closed = await made(broker, "net.firewall", { set: { default: "closed" } }, { confirm_within_s: 1 });
    const moved = await made(broker, "net.configure", { interface: "left", mtu: 1400 }, { confirm_within_s: 1 });
    const banned = await made(broker, "sec.ban", { address: "192.0.2.254", why: "x", even_if: ["gateway"] }, { confirm_within_s: 1 });
    const unconfirmed = () => [closed, moved, banned].some(({ call }) => broker.undo.stateOf(call) !== "done");
    for (let tries = 0; tries < 1000 && unconfirmed(); tries += 1) await Bun.sleep(20);
    const back = Bun.deepEquals([rules(), ip("link", "show", "left")], before);
    const kept = await made(broker, "net.firewall", { set: { default: "closed" } }, { confirm_within_s: 60 });
    const confirmed = broker.confirm(kept.call) && broker.confirmations.deadlineOf(kept.call) === null;
    const by_itself = await made(broker, "sec.ban", { address: "192.0.2.254", why: "x", even_if: ["gateway"] });
    await end(broker, {
      statuses: [closed, moved, banned, kept].map(({ status }) => status),
      ...{ back, confirmed, stays: rules().includes("policy drop"), within: by_itself.confirm_by_ms > Date.now() },
    });
  `);
  expect(value).toEqual({
    statuses: ["done", "done", "done", "done"],
    back: true,
    confirmed: true,
    stays: true,
    within: true,
  });
});

test("what was restored since, because it had been declared, keeps no firewall that nobody confirms, nor one that is taken back", async () => {
  const value = await valueInNamespaces(`${head}
    const broker = await open();
    await made(broker, "net.firewall", { set: { default: "open" } }, { confirm_within_s: 0 });
    const before = rules();
    const closed = await made(broker, "net.firewall", { set: { default: "closed" } }, { confirm_within_s: 2 });
    nft("flush", "table", "inet", "aios");
    const restored = await made(broker, "net.declared", { restore: true });
    const stood = rules().includes("policy drop");
    await made(broker, "net.listen", { port: 8080, owner: "web" });
    for (let tries = 0; tries < 1000 && broker.undo.stateOf(closed.call) !== "done"; tries += 1) await Bun.sleep(20);
    const back = rules().split("\\n").filter((line) => !line.includes("8080")).join("\\n") === before;
    const again = await made(broker, "net.firewall", { set: { default: "closed" } }, { confirm_within_s: 0 });
    await made(broker, "net.declared", { restore: true });
    await end(broker, { restored: restored.status, stood, back, plan: broker.undo.plan({ call: again.call }).obstacles });
  `);
  expect(value).toEqual({ restored: "done", stood: true, back: true, plan: [] });
});

test("firewall, ports and bans are made again at the next start, and a ban keeps what is left of its time", async () => {
  const value = await valueInNamespaces(`${head}
    const first = await open();
    await made(first, "net.firewall", { set: { default: "closed" } }, { confirm_within_s: 0 });
    await made(first, "net.listen", { port: 8080, owner: "web" });
    await made(first, "sec.ban", { address: "198.51.100.7", for_s: 600, why: "x" });
    await made(first, "sec.ban", { address: "2001:db8:bad::/48", for_s: null, why: "x" });
    const before = rules();
    await first.close();
    for (const table of ["aios", "aios_bans"]) nft("delete", "table", "inet", table); // as after a reboot
    const second = await open({ restorers });
    const after = rules();
    const rest = /198.51.100.7 timeout 10m expires (\\w+)/.exec(nft("list", "ruleset"))?.[1] ?? "";
    const degradations = second.degradations();
    await end(second, { same: before === after, some: before.length > 500, rest, degradations });
  `);
  expect(value).toEqual({ same: true, some: true, rest: expect.stringMatching(/^9m\d+s/), degradations: [] });
});
