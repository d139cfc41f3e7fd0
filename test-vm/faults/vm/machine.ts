/** Faults of a whole machine: its own kernel, clock and disk, which a container shares with its host. */

import { serviceStatus } from "../../scenarios/expect.ts";
import type { Family, Fault } from "../fault.ts";
import { data } from "./served.ts";
import { host, link, type VmGround } from "./system.ts";

const network = ["network-drift", "no-address", "route-lost", "dns-silent", "link-down"] as const;

async function pidOf({ container }: VmGround, name: string): Promise<number> {
  const { pid } = await serviceStatus(container.console, name);
  if (pid === null) throw new Error(`looking for the service "${name}" failed: it does not run`);
  return pid;
}

/** A signal to a service of the system itself; it is right when another process of it is ready. */
function signalled(name: string, service: string, signal: "KILL" | "STOP", rule: string): Fault<VmGround> {
  return {
    ...{ name, family: "process", what: `the service ${service} ${signal === "KILL" ? "is killed" : "stands still"}` },
    noticed: { alarms: [], rules: [rule] },
    traces: [new RegExp(`^service/${service}$`)],
    async inject(ground) {
      const before = await pidOf(ground, service);
      // PID 1 counts in its own namespace, which in a machine is that of the kernel
      await ground.sh(`kill -${signal} ${before}`);
      return async () => {
        const { state, pid } = await serviceStatus(ground.container.console, service);
        return state === "ready" && pid !== before;
      };
    },
  };
}

function drifted(
  name: string,
  family: Family,
  what: string,
  script: string,
  looks: (ground: VmGround) => Promise<boolean>,
): Fault<VmGround> {
  const alarms = name === "vm-hostname-changed" || name === "vm-forwarding-on" ? ["setting-drift"] : network;
  return {
    ...{ name, family, what, noticed: { alarms } },
    async inject(ground) {
      await ground.sh(script);
      return () => looks(ground);
    },
  };
}

const says = async ({ sh }: VmGround, script: string, text: string): Promise<boolean> => (await sh(script)).includes(text);
const ip = "here /usr/bin/ip";
const nft = "here /usr/sbin/nft";
/** Percent of the data partition. Its mount is not in this namespace's table, where df(1) would look for it. */
const used = `stat -f -c '%b %f %a' ${data} | { read -r all free left; echo $((100 * (all - free) / (all - free + left))); }`;

/** Somebody sets the clock; right again is what is within two seconds of this host's, whose time the server gives. */
function clockSet(name: string, what: string, by_s: number): Fault<VmGround> {
  return {
    ...{ name, family: "time", what },
    noticed: { alarms: [], rules: ["clock-lost"] },
    traces: [/^service\/chronyd$/],
    async inject({ sh, container }) {
      await sh(`date -s @$(($(date +%s) + ${by_s}))`);
      return async () => {
        const { time_ms } = await container.console.call("status");
        return Math.abs(time_ms - Date.now()) < 2000;
      };
    },
  };
}

export const machine_faults: readonly Fault<VmGround>[] = [
  signalled("vm-tier-killed", "tactical", "KILL", "service-dead"),
  signalled("vm-tier-frozen", "operational", "STOP", "service-hung"),
  signalled("vm-chronyd-killed", "chronyd", "KILL", "service-dead"),
  clockSet("vm-clock-back", "the clock is set a year back", -365 * 86_400),
  clockSet("vm-clock-ahead", "the clock is set a year ahead", 365 * 86_400),
  drifted("vm-address-lost", "network", "an interface loses its address", `${ip} address flush dev ${link.name}`, (ground) =>
    says(ground, `${ip} -4 address show dev ${link.name}`, link.address),
  ),
  drifted("vm-interface-down", "network", "an interface was set down", `${ip} link set ${link.name} down`, (ground) =>
    says(ground, `${ip} link show ${link.name}`, "UP"),
  ),
  drifted(
    "vm-dns-other-server",
    "dns",
    "resolv.conf names a server that does not answer, behind the machine config's back",
    "echo nameserver 203.0.113.66 > /proc/1/root/run/aios/etc/resolv.conf",
    (ground) => says(ground, "cat /proc/1/root/run/aios/etc/resolv.conf", `nameserver ${host}`),
  ),
  drifted("vm-mtu-changed", "drift", "an interface has another MTU than declared", `${ip} link set ${link.name} mtu 600`, (ground) =>
    says(ground, `${ip} link show ${link.name}`, "mtu 1500"),
  ),
  drifted("vm-firewall-flushed", "drift", "all rules of the firewall are gone", `${nft} flush ruleset`, async (ground) =>
    /chain input \{[^}]*policy drop/s.test(await ground.sh(`${nft} list ruleset`)),
  ),
  drifted(
    "vm-firewall-hole",
    "security",
    "a rule lets everybody in",
    `${nft} insert rule inet aios input tcp dport 23 accept comment '"let me in"'`,
    async (ground) => !(await says(ground, `${nft} list ruleset`, "let me in")),
  ),
  drifted("vm-hostname-changed", "drift", "the host has another name", "echo somebody-else > /proc/sys/kernel/hostname", (ground) =>
    says(ground, "cat /proc/sys/kernel/hostname", "shopkeeper"),
  ),
  drifted(
    "vm-forwarding-on",
    "drift",
    "packets are passed on, which was declared off",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    async (ground) => (await ground.sh("cat /proc/sys/net/ipv4/ip_forward")) === "0",
  ),
  {
    ...{ name: "vm-disk-full-by-cache", family: "disk", what: "a cache takes the whole data partition" },
    noticed: { alarms: ["disk-full"], subject: "data" },
    async inject(ground) {
      await ground.sh(
        `mkdir -p ${data}/cache; n=0; while [ "$(${used})" -lt 96 ] && [ $n -lt 400 ]; do n=$((n + 1)); dd if=/dev/zero of=${data}/cache/file-$n bs=1M count=20 2>/dev/null || break; done`,
      );
      return async () => Number(await ground.sh(used)) < 85;
    },
    clean: ({ sh }) => void sh(`rm -f ${data}/cache/file-*`),
  },
];
