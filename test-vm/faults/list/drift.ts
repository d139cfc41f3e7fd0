/** What was set, and is not so any more. */

import { nft, run } from "../effects.ts";
import type { Fault } from "../fault.ts";

export const drift_faults: readonly Fault[] = [
  {
    name: "firewall-flushed",
    family: "drift",
    what: "all rules of the firewall are gone: every port is open",
    noticed: { alarms: ["network-drift"], subject: "firewall" },
    async inject(ground) {
      await nft(ground, "flush", "ruleset");
      return async () => /chain input \{[^}]*policy drop/s.test(await nft(ground, "list", "ruleset"));
    },
  },
  {
    name: "firewall-hole",
    family: "security",
    what: "somebody has put a rule into the firewall that lets everybody in",
    noticed: { alarms: ["network-drift"], subject: "firewall" },
    async inject(ground) {
      const rule = ground.arm === "ours" ? "inet aios input" : "inet filter input";
      await nft(ground, "insert", "rule", ...rule.split(" "), "tcp", "dport", "23", "accept", "comment", '"let me in"');
      return async () => !(await nft(ground, "list", "ruleset")).includes("let me in");
    },
  },
  {
    name: "hostname-changed",
    family: "drift",
    what: "the host has another name",
    noticed: { alarms: ["setting-drift"], subject: "hostname" },
    async inject(ground) {
      await run(ground, "hostname", "somebody-else");
      return async () => (await run(ground, "hostname")).trim() === "shopkeeper";
    },
  },
  {
    name: "forwarding-on",
    family: "drift",
    what: "the system passes packets on, which was declared off",
    noticed: { alarms: ["setting-drift"], subject: "ip_forward" },
    async inject(ground) {
      await run(ground, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
      return async () => (await run(ground, "sysctl", "-n", "net.ipv4.ip_forward")).trim() === "0";
    },
  },
];
