/** Cases of sec.ban and sec.unban (testing/case.ts). */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolCase } from "../../testing/case.ts";
import { fresh, ip, nft } from "../net/testing/links.ts";

/** Without what of its time is over. */
const rules = (): string => nft("--stateless", "list", "ruleset");

export const ban_cases: readonly ToolCase[] = [
  {
    tool: "sec.ban",
    name: "a network beside other bans",
    prepare: async (world) => {
      fresh();
      ip("route", "add", "default", "via", "192.0.2.254");
      mkdirSync(join(world.places.run, "etc"), { recursive: true });
      writeFileSync(join(world.places.run, "etc/resolv.conf"), "nameserver 203.0.113.53\n");
      await world.call("net.firewall", { set: { default: "closed" } });
      await world.call("sec.ban", { address: "198.51.100.7", why: "a case" });
      await world.call("sec.ban", { address: "2001:db8:bad::/48", for_s: null, why: "a case" });
      return { address: "198.51.100.9/24", for_s: 600, why: "a case" };
    },
    observe: rules,
    check: () => {
      const told = rules();
      for (const part of ["198.51.100.0", "198.51.100.7", "2001:db8:bad::"]) if (!told.includes(part)) throw new Error(`it left ${told}`);
    },
    bad: () => [
      ...["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "::/0", "::1", "::ffff:127.0.0.1", "0.0.0.0/1", "2000::/3", "224.0.0.1", "ff02::1"].map(
        (address) => ({ address, why: "x" }),
      ),
      ...["192.0.2.254", "192.0.2.0/24", "192.0.2.1", "203.0.113.53", "203.0.113.0/24"].map((address) => ({ address, why: "x" })),
      ...["198.51.100.7; flush ruleset", "example.org", "10.0.0.0/33", "-j", "fe80::1%lo"].map((address) => ({ address, why: "x" })),
      { address: "198.51.100.8", why: "x", for_s: 0 },
      { address: "198.51.100.8", why: "x", for_s: 31_536_001 },
      { address: "192.0.2.254", why: "x", even_if: ["dns"] },
    ],
  },
  {
    tool: "sec.ban",
    name: "for longer than before, without a firewall",
    prepare: async (world) => {
      fresh();
      await world.call("sec.ban", { address: "198.51.100.7", for_s: 60, why: "a case" });
      return { address: "198.51.100.7", for_s: null, why: "again" };
    },
    observe: rules,
  },
  {
    tool: "sec.unban",
    name: "one of two",
    prepare: async (world) => {
      fresh();
      await world.call("sec.ban", { address: "198.51.100.7", why: "a case" });
      await world.call("sec.ban", { address: "2001:db8::/64", for_s: null, why: "a case" });
      return { address: "198.51.100.7" };
    },
    observe: rules,
    bad: () => [{ address: "198.51.100.8" }, { address: "2001:db8::1" }, { address: "everyone" }],
  },
];
