/** Our system in the virtual machine: faults come by the root access of the test initrd, from outside the system's own root. */

import { startTimeServer } from "../../machine/time-server.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { Aiosctl } from "../../scenarios/aiosctl.ts";
import { allReady } from "../../scenarios/expect.ts";
import { waitFor } from "../../wait.ts";
import { answerNames } from "../far.ts";
import type { System } from "../ground.ts";
import { toldBy } from "../ours/arm.ts";
import { confirmed, quiet } from "../ours/system.ts";
import type { Watched } from "../ours/watch.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Arm } from "../trial.ts";

export interface VmGround extends System, Watched {
  readonly arm: "ours";
  readonly container: Machine;
  /** Runs a script as root beside the system; `here` runs a program of its root. @throws when it fails */
  sh(script: string): Promise<string>;
}

export const link = { name: "lan", address: "192.0.2.1/24" } as const;
/** The host of QEMU's own network, as the guest sees it. */
export const host = "10.0.2.2";
const here = 'here() { chroot /proc/1/root "$@"; }\nset -e\n';
const repair_limit_ms = 300_000;

export async function startVm(pace: number): Promise<Arm<VmGround>> {
  const server = await startTimeServer(newFolder("time-server"));
  await answerNames(["nsenter", `--net=/proc/${server.pid}/ns/net`, "--"]);
  const config = `network: { ntp: [${host}], dns: [${host}] }\nsensors: { pace: ${pace} }\n`;
  const machine = await startMachine({ boot: "direct", network_of: server.pid, config });
  await machine.ready();
  await allReady(machine.console, { limit_ms: 300_000, every_ms: 500 });
  const aiosctl = new Aiosctl(machine.console_socket);
  // what comes right after the start of an emulated machine takes longer than a call may
  await quiet({ container: machine }, 600_000);
  await waitFor("a call to be answered", async () => (await aiosctl.call("net.declared", {}))._meta.status === "done", {
    limit_ms: 300_000,
    every_ms: 2000,
  });
  await confirmed(aiosctl, "net.configure", {
    ...{ interface: link.name, make: { kind: "bridge" }, up: true, addresses: [link.address] },
  });
  await confirmed(aiosctl, "net.firewall", { set: { default: "closed", rules: [] } });
  await aiosctl.done("sys.hostname", { set: "shopkeeper" });
  await aiosctl.done("sys.sysctl", { name: "net.ipv4.ip_forward", value: "0" });
  const ground: VmGround = {
    ...{ arm: "ours", pace, container: machine, aiosctl },
    async sh(script) {
      const { status, out } = await machine.sh(`${here}${script}`);
      if (status !== 0) throw new Error(`running "${script.slice(0, 200)}" in the machine failed with status ${status}: ${out}`);
      return out.trim();
    },
    async end() {
      await machine.kill();
      server.end();
    },
  };
  return {
    ground,
    repair_limit_ms,
    snapshot: () => snapshot(ground),
    quiet: (limit_ms) => quiet(ground, limit_ms * 3),
    async mend() {
      for (const tool of ["net.declared", "sys.declared"]) await aiosctl.call(tool, { restore: true });
      await aiosctl.call("service.restart", { name: "chronyd" });
    },
    told: (since_ms, fault) => toldBy(ground, since_ms, fault),
  };
}

/** As of the container, as far as there is the same: services, addresses, links, routes, firewall, host name, names, grants. */
async function snapshot({ container, aiosctl, sh }: VmGround): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const { name, state, pid } of await container.console.call("services")) found.set(`service/${name}`, `${state}, process ${pid}`);
  const ask = async (key: string, script: string): Promise<void> => void found.set(key, await sh(script));
  await ask("address", "here /usr/bin/ip -oneline -4 address | sed 's/valid_lft.*//'");
  await ask("links", "here /usr/bin/ip -oneline link | sed -e 's/state [A-Z]*//' -e 's/qlen [0-9]*//'");
  await ask("route", "here /usr/bin/ip -4 route");
  await ask("firewall", "here /usr/sbin/nft --stateless list ruleset");
  await ask("hostname", "cat /proc/sys/kernel/hostname");
  await ask("names", "cat /proc/1/root/run/aios/etc/resolv.conf");
  const { out } = await aiosctl.run("--json", "grants");
  found.set("grants", out);
  return found;
}
