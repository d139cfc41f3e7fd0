/** The conventional system under test: systemd and what a careful administrator puts beside it (files/), the same services. */

import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { enterNamespaces, type Namespaces } from "../../namespaces.ts";
import { atEnd } from "../../owned.ts";
import { newFolder } from "../../places.ts";
import { tailOf, waitFor } from "../../wait.ts";
import { beside } from "../beside.ts";
import { makeDatabase } from "../database.ts";
import { smallDisk, unmountLeftBehind } from "../disk.ts";
import { connectWire, wire } from "../far.ts";
import type { Ground, Patient, PatientName } from "../ground.ts";
import { order } from "../order.ts";
import { patientProgram } from "../programs.ts";
import { nothing_told } from "../result.ts";
import { takeSnapshot } from "../snapshot.ts";
import type { Arm } from "../trial.ts";
import { carefulRoot } from "./root.ts";

const files = join(import.meta.dir, "files");
const names = ["web", "shop", "clerk"] as const;
const www_data = 33;
/** In earnest monit looks so often, seconds. */
const monit_cycle_s = 30;
/** Monit looks once a second: what it has not done by then it does not do. */
const repair_limit_ms = 40_000;
/** There is neither a time server nor, at boot, a wire. */
const waits_in_vain = ["chrony-wait.service", "systemd-networkd-wait-online.service"];
const resolv = `nameserver ${wire.gateway}\n`;
const folders_inside: Readonly<Record<PatientName, string>> = {
  web: "srv/services/web",
  shop: "srv/data/shop",
  clerk: "srv/services/clerk",
};

export interface Careful extends Arm {
  /** Its root, a path of the host. */
  readonly root: string;
}

export async function startCareful(pace: number): Promise<Careful> {
  const disk = smallDisk("careful-disk");
  unmountLeftBehind("careful-root");
  const root = newFolder("careful-root");
  const upper = join(disk.path, "upper");
  for (const folder of [upper, join(disk.path, "work")]) mkdirSync(folder);
  prepare(upper, pace);
  const layers = `lowerdir=${await carefulRoot()},upperdir=${upper},workdir=${join(disk.path, "work")}`;
  must(["mount", "-t", "overlay", "-o", layers, "overlay", root]);
  const unmount = atEnd(() => void Bun.spawnSync(["umount", "--lazy", root]));
  const inside = await enterNamespaces({ name: "careful", root, programs: await patientProgram(), inits: ["/sbin/init"] });
  const booted = async (): Promise<boolean> => /^(running|degraded)$/m.test((await inside.inside(["systemctl", "is-system-running"])).out);
  await waitFor("systemd", booted, { limit_ms: 120_000, every_ms: 500, explain: () => tailOf(inside.log()) });
  // the harness gives it a root that is read-only, as ours is: this one is meant to be written
  must(["nsenter", "--target", String(inside.pid), "--mount", "--", "mount", "-o", "remount,bind,rw", "/"]);
  await connectWire(inside.pid);
  await ask(inside, "hostname", "shopkeeper");
  await ask(inside, "sysctl", "-q", "-w", "net.ipv4.ip_forward=0");
  await ask(inside, "systemctl", "restart", "systemd-journald", "systemd-networkd", "nftables", "fail2ban", "monit", ...names);
  for (const unit of ["monit", "fail2ban", "nftables"]) await ask(inside, "systemctl", "is-active", unit);
  const ground = groundOf(inside, disk.path, root, pace, async () => {
    await inside.kill();
    unmount();
    disk.end();
  });
  return {
    ...{ ground, root },
    snapshot: () => takeSnapshot(ground),
    repair_limit_ms,
    quiet: (limit_ms) => quiet(ground, limit_ms),
    mend: () => mend(ground),
    told: async () => nothing_told,
  };
}

function prepare(upper: string, pace: number): void {
  cpSync(files, upper, { recursive: true });
  for (const name of ["free-space", "check-firewall"]) chmodSync(join(upper, "usr/local/sbin", name), 0o755);
  for (const folder of [
    "srv/services/web",
    "srv/services/clerk",
    "srv/data/shop",
    "srv/backup",
    "var/cache/app",
    "var/log/app",
    "var/tmp",
    "var/lib/monit",
  ])
    mkdirSync(join(upper, folder), { recursive: true });
  for (const unit of waits_in_vain) symlinkSync("/dev/null", join(upper, "etc/systemd/system", unit));
  const cycle = Math.max(1, Math.round(monit_cycle_s / pace));
  // as the package has it, but for the cycle
  const files_of_monit = ["set log /var/log/monit.log", "set idfile /var/lib/monit/id", "set statefile /var/lib/monit/state"];
  const monitrc = [`set daemon ${cycle}`, ...files_of_monit, "include /etc/monit/conf.d/*"];
  writeFileSync(join(upper, "etc/monit/monitrc"), `${monitrc.join("\n")}\n`, { mode: 0o600 });
  writeFileSync(join(upper, "etc/resolv.conf"), resolv);
  writeFileSync(join(upper, "etc/hostname"), "shopkeeper\n");
  const database = join(upper, "srv/data/shop/shop.db");
  makeDatabase(database);
  for (const name of names) chownSync(join(upper, folders_inside[name]), www_data, www_data);
  chownSync(database, www_data, www_data);
  cpSync(join(upper, "srv/data/shop"), join(upper, "srv/backup/shop"), { recursive: true });
}

function groundOf(inside: Namespaces, disk: string, root: string, pace: number, end: () => Promise<void>): Ground {
  return {
    ...beside(inside),
    ...{ arm: "conventional", pace, disk, end },
    folders: {
      cache: join(root, "var/cache/app"),
      temporary: join(root, "var/tmp"),
      logs: join(root, "var/log/app"),
      srv: join(root, "srv/data"),
      backup: join(root, "srv/backup"),
    },
    resolv: join(root, "etc/resolv.conf"),
    patient: (name) => patientOf(inside, root, name),
    more: async () => new Map(),
    person: {
      restart: (name) => ask(inside, "systemctl", "restart", name),
      stop: (name) => ask(inside, "systemctl", "stop", name),
      start: (name) => ask(inside, "systemctl", "start", name),
      setHostname: (name) => ask(inside, "hostname", name),
      declarePort: (port) => ask(inside, "nft", "add", "rule", "inet", "filter", "input", "tcp", "dport", String(port), "accept"),
      closePort: () => ask(inside, "systemctl", "restart", "nftables"),
      unban: async (address) => void (await inside.inside(["fail2ban-client", "unban", address])),
    },
  };
}

function patientOf(inside: Namespaces, root: string, name: PatientName): Patient {
  const folder = join(root, folders_inside[name]);
  const shown = async (): Promise<string> =>
    (await inside.inside(["systemctl", "show", name, "--property=ActiveState,SubState,MainPID"])).out;
  return {
    folder,
    port: name === "web" ? 8080 : name === "clerk" ? 8090 : null,
    tell(what) {
      order(folder, what);
      chownSync(join(folder, "do"), www_data, www_data);
    },
    async pid() {
      const pid = Number(/MainPID=(\d+)/.exec(await shown())?.[1] ?? 0);
      return pid === 0 ? null : inside.hostPid(pid);
    },
    ready: async () => /ActiveState=active/.test(await shown()),
    givenUp: async () => /ActiveState=failed/.test(await shown()),
  };
}

/** @throws when it fails */
export async function ask(inside: Namespaces, ...argv: string[]): Promise<void> {
  const { status, out } = await inside.inside(argv, 120_000);
  if (status !== 0) throw new Error(`running "${argv.join(" ")}" in the conventional system failed: status ${status}: ${out}`);
}

function must(argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(`running "${argv.join(" ")}" failed: ${stderr.toString()}`);
}

function quiet(ground: Ground, limit_ms: number): Promise<boolean> {
  const ready = async (): Promise<boolean> => (await Promise.all(names.map((name) => ground.patient(name).ready()))).every(Boolean);
  return waitFor("all services to run", ready, { limit_ms, every_ms: 500 });
}

/** What a person who is called does. */
async function mend(ground: Ground): Promise<void> {
  const { inside, folders } = ground;
  copyFileSync(join(folders.backup, "shop/shop.db"), join(folders.srv, "shop/shop.db"));
  chownSync(join(folders.srv, "shop/shop.db"), www_data, www_data);
  for (const name of names) rmSync(join(ground.patient(name).folder, "slow"), { force: true });
  writeFileSync(ground.resolv, resolv);
  await ask(inside, "hostname", "shopkeeper");
  await ask(inside, "sysctl", "-q", "-w", "net.ipv4.ip_forward=0");
  await ask(inside, "ip", "link", "set", wire.name, "mtu", "1500");
  await ask(inside, "systemctl", "restart", "systemd-networkd", "nftables", "fail2ban");
  await inside.inside(["systemctl", "reset-failed", ...names]);
  await ask(inside, "systemctl", "restart", ...names);
  const gone = async (): Promise<boolean> => (await inside.sh(["ip", "-4", "route"])).out.includes("default");
  await waitFor("the network to be there again", gone, { limit_ms: 30_000, every_ms: 500 });
}
