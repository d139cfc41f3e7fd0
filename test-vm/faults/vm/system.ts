/** Our system in the virtual machine: faults come by the root access of the test initrd, from outside the system's own root. */

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { startTimeServer } from "../../machine/time-server.ts";
import { newFolder } from "../../places.ts";
import { type Machine, startMachine } from "../../qemu.ts";
import { Aiosctl } from "../../scenarios/aiosctl.ts";
import { allReady } from "../../scenarios/expect.ts";
import { waitFor } from "../../wait.ts";
import { makeDatabase } from "../database.ts";
import { answerNames } from "../far.ts";
import { toldBy } from "../ours/arm.ts";
import { setUpPackages, sourceConfig } from "../ours/packages.ts";
import { confirmed, quiet } from "../ours/system.ts";
import type { Watched } from "../ours/watch.ts";
import { patientProgram } from "../programs.ts";
import type { PackagesGround } from "../repository.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Arm } from "../trial.ts";
import { newRepository, packagesOf, pushRepository } from "./packages.ts";
import { data, in_programs, type Sh, servedOf, setUpServed } from "./served.ts";

export interface VmGround extends PackagesGround, Watched {
  readonly arm: "ours";
  readonly container: Machine;
  /** Runs a script as root beside the system; `here` runs a program of its root. @throws when it fails */
  readonly sh: Sh;
}

export const link = { name: "lan", address: "192.0.2.1/24" } as const;
/** The host of QEMU's own network, as the guest sees it. */
export const host = "10.0.2.2";
const here = 'here() { chroot /proc/1/root "$@"; }\nset -e\n';
const repair_limit_ms = 300_000;

export async function startVm(pace: number): Promise<Arm<VmGround>> {
  const server = await startTimeServer(newFolder("time-server"));
  await answerNames(["nsenter", `--net=/proc/${server.pid}/ns/net`, "--"]);
  const repository = newRepository();
  const config = `network: { ntp: [${host}], dns: [${host}] }\nsensors: { pace: ${pace} }\n${sourceConfig(repository.key)}`;
  const machine = await startMachine({ boot: "direct", network_of: server.pid, config, programs: await programs(), userland: true });
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
  const sh: Sh = async (script) => {
    const { status, out } = await machine.sh(`${here}${script}`);
    if (status !== 0) throw new Error(`running "${script.slice(0, 200)}" in the machine failed with status ${status}: ${out}`);
    return out.trim();
  };
  await setUpServed(aiosctl, sh);
  const watched = { container: machine, aiosctl };
  await pushRepository(repository, watched, sh);
  await setUpPackages(aiosctl);
  const ground: VmGround = {
    ...servedOf(machine, aiosctl, sh),
    ...{ arm: "ours", pace, ...watched, sh, packages: packagesOf(repository, watched, sh) },
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
      await sh(`cd ${data}/srv; cat backup/shop/shop.db > shop/shop.db`);
      for (const name of ["chronyd", "web", "shop", "clerk"]) await aiosctl.call("service.restart", { name });
    },
    told: (since_ms, fault) => toldBy(ground, since_ms, fault),
  };
}

/** What the test initrd takes along. */
async function programs(): Promise<string> {
  const folder = newFolder("vm-programs");
  copyFileSync(join(await patientProgram(), in_programs.program), join(folder, in_programs.program));
  makeDatabase(join(folder, in_programs.database));
  return folder;
}

/** What services write all the time, and what says to them what to do. */
const busy_files = ["do", "do.new", "shop.db", "shop.db-journal", "scratch"];

/** As of the container, as far as there is the same: services, addresses, links, routes, firewall, host name, names, files, ports, grants. */
async function snapshot({ container, aiosctl, sh, listeners }: VmGround): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const { name, state, pid } of await container.console.call("services")) found.set(`service/${name}`, `${state}, process ${pid}`);
  const ask = async (key: string, script: string): Promise<void> => void found.set(key, await sh(script));
  await ask("address", "here /usr/bin/ip -oneline -4 address | sed 's/valid_lft.*//'");
  await ask("links", "here /usr/bin/ip -oneline link | sed -e 's/state [A-Z]*//' -e 's/qlen [0-9]*//'");
  await ask("route", "here /usr/bin/ip -4 route");
  await ask("firewall", "here /usr/sbin/nft --stateless list ruleset");
  await ask("hostname", "cat /proc/sys/kernel/hostname");
  await ask("names", "cat /proc/1/root/run/aios/etc/resolv.conf");
  const places = "srv services/web services/clerk";
  const files = `find ${places} -type f ${busy_files.map((name) => `! -name ${name}`).join(" ")}`;
  const listed = `find ${places} -type d -exec stat -c '%n folder %a %u' {} +; ${files} -exec stat -c '%n file %a %u %s' {} +; ${files} -exec md5sum {} +`;
  for (const line of (await sh(`cd ${data}; ${listed}`)).split("\n")) {
    const [hash, path] = line.split("  ");
    // what md5sum says of it comes after what stat says
    if (path !== undefined) found.set(`file/${path}`, `${found.get(`file/${path}`)} ${hash}`);
    else found.set(`file/${line.slice(0, line.indexOf(" "))}`, line.slice(line.indexOf(" ") + 1));
  }
  for (const port of await listeners()) found.set(`listener/${port}`, "listens");
  const { out } = await aiosctl.run("--json", "grants");
  found.set("grants", out);
  return found;
}
