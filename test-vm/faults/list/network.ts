/** Links, routes and names. */

import { writeFileSync } from "node:fs";
import { run } from "../effects.ts";
import { wire } from "../far.ts";
import type { Fault } from "../fault.ts";
import type { Ground } from "../ground.ts";

const network_alarms = ["network-drift", "no-address", "route-lost", "dns-silent", "link-down"] as const;

async function hasAddress(ground: Ground): Promise<boolean> {
  return (await run(ground, "ip", "-4", "address", "show", "dev", wire.name)).includes(wire.address);
}

async function reaches(ground: Ground): Promise<boolean> {
  return (await run(ground, "ip", "-4", "route")).includes(`default via ${wire.gateway}`);
}

/** A whole trip: a question to the name server that the system would ask. */
async function resolves(ground: Ground): Promise<boolean> {
  const server = /^nameserver (\S+)/m.exec(await Bun.file(ground.resolv).text())?.[1];
  if (server === undefined) return false;
  const ask = `{ exec 3<>/dev/udp/${server}/53 && printf '\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x01a\\x00\\x00\\x01\\x00\\x01' >&3 && timeout 2 head -c 2 <&3; } 2>/dev/null`;
  const { out } = await ground.inside.sh(["bash", "-c", ask], 10_000);
  return out.startsWith("\x12\x34");
}

export const network_faults: readonly Fault[] = [
  {
    name: "address-lost",
    family: "network",
    what: "an interface loses its address",
    noticed: { alarms: network_alarms },
    async inject(ground) {
      await run(ground, "ip", "address", "flush", "dev", wire.name);
      return async () => (await hasAddress(ground)) && (await reaches(ground));
    },
  },
  {
    name: "route-lost",
    family: "network",
    what: "the default route is gone",
    noticed: { alarms: network_alarms },
    async inject(ground) {
      await run(ground, "ip", "route", "delete", "default");
      return () => reaches(ground);
    },
  },
  {
    name: "interface-down",
    family: "network",
    what: "an interface was set down",
    noticed: { alarms: network_alarms },
    async inject(ground) {
      await run(ground, "ip", "link", "set", wire.name, "down");
      return async () => (await hasAddress(ground)) && (await reaches(ground)) && (await resolves(ground));
    },
  },
  {
    name: "mtu-changed",
    family: "drift",
    what: "an interface has another MTU than declared: large packets are lost",
    noticed: { alarms: network_alarms },
    async inject(ground) {
      await run(ground, "ip", "link", "set", wire.name, "mtu", "600");
      return async () => (await run(ground, "ip", "link", "show", wire.name)).includes("mtu 1500");
    },
  },
  {
    name: "name-servers-overwritten",
    family: "dns",
    what: "another name server was set, which does not answer",
    noticed: { alarms: network_alarms },
    inject(ground) {
      writeFileSync(ground.resolv, "nameserver 10.77.0.99\n");
      return () => resolves(ground);
    },
  },
  {
    name: "name-servers-emptied",
    family: "dns",
    what: "there are no name servers any more",
    noticed: { alarms: network_alarms },
    inject(ground) {
      writeFileSync(ground.resolv, "");
      return () => resolves(ground);
    },
  },
];
