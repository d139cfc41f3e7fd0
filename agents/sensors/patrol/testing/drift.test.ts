/** What is not as it was declared, by the real tools, in network and host name namespaces of its own. */

import { expect, test } from "bun:test";
import { inNamespaces, rig_source } from "./namespaces.ts";

test("an interface, a host name and a kernel parameter that somebody else changed are told, until they are restored", async () => {
  const value = await inNamespaces(
    ["--net", "--uts", "--mount"],
    `${rig_source}
    const { driftFigures } = await import(room("drift.ts"));
    const { writeFileSync } = await import("node:fs");
    const look = async () => (await driftFigures(ask)).map(({ figure, subject, value, detail }) => [figure, subject, value, detail]);
    ip("link add wire0 type veth peer name far0");
    const seen = { nothing: await look() };
    await ask("net.configure", { interface: "wire0", up: true, mtu: 1400 });
    await ask("sys.hostname", { set: "shopkeeper" });
    await ask("sys.sysctl", { name: "net.ipv4.ip_forward", value: "1" });
    seen.declared = await look();
    ip("link set wire0 mtu 1500");
    seen.link = await look();
    Bun.spawnSync(["hostname", "stranger"]);
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
    seen.all = await look();
    await ask("sys.declared", { restore: true });
    seen.settings = await look();
    await ask("net.declared", { restore: true });
    seen.restored = await look();
    say(seen);
    `,
  );
  const link = ["drift.network", "interface/wire0", 1, "mtu is 1500, not 1400"];
  expect(value).toEqual({
    nothing: [],
    declared: [],
    link: [link],
    all: [
      link,
      ["drift.setting", "hostname", 1, 'it is "stranger", not "shopkeeper"'],
      ["drift.setting", "sysctl/net.ipv4.ip_forward", 1, 'it is "0", not "1"'],
    ],
    settings: [link],
    restored: [],
  });
}, 300_000);
