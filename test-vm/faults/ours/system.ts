/** Our system under test, set up as somebody would who means it: services, a declared network, grants for what needs a yes. */

import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Container, startContainer } from "../../container.ts";
import { Aiosctl } from "../../scenarios/aiosctl.ts";
import { allReady, serviceStatus } from "../../scenarios/expect.ts";
import { waitFor } from "../../wait.ts";
import { beside } from "../beside.ts";
import { makeDatabase } from "../database.ts";
import { smallDisk } from "../disk.ts";
import { connectWire, wire } from "../far.ts";
import type { Ground, Patient, PatientName, Served, Task } from "../ground.ts";
import { order } from "../order.ts";
import { patientProgram } from "../programs.ts";
import { of_host, told_only } from "./host.ts";
import type { Watched } from "./watch.ts";

export interface Ours extends Ground {
  readonly arm: "ours";
  readonly container: Container;
  readonly aiosctl: Aiosctl;
}

const mib = 1024 * 1024;
const data = "/var/lib/aios";
const usual = { ready: "notify", heartbeat_ms: 5000, network: true, limits: { memory_max_bytes: 96 * mib, pids_max: 64 } } as const;
const definitions: Readonly<Record<PatientName, Readonly<Record<string, unknown>>>> = {
  web: { argv: ["/mnt/patient", `${data}/services/web`, "8080"], ports: [{ protocol: "tcp", port: 8080 }] },
  shop: { argv: ["/mnt/patient", `${data}/srv/shop`], writes: [`${data}/srv/shop`] },
  clerk: { argv: ["/mnt/patient", `${data}/services/clerk`, "8090"], ports: [{ protocol: "tcp", port: 8090 }] },
};

/** What else than by these nobody may do without a person: each names the tool, what it may touch, and how final that is. */
const grants = [
  { tools: ["sec.ban"], resources: [{ kind: "address", id: "*" }], risk: "reversible" },
  {
    tools: ["sec.certificate_renew"],
    resources: [
      { kind: "certificate", id: "*" },
      { kind: "service", id: "*" },
    ],
    risk: "compensable",
  },
  { tools: ["process.kill"], resources: [{ kind: "process", id: "*" }], risk: "irreversible" },
] as const;

export interface More {
  /** A folder that holds the program of the services, too. */
  readonly programs: string;
  /** More lines of aios.yaml. */
  readonly config: string;
  /** A folder for what changes; left out: a small disk of its own. */
  readonly data: string;
}

export async function startOurs(pace: number, more: Partial<More> = {}): Promise<Ours> {
  const { path: disk, end: unmount } = more.data === undefined ? smallDisk("data") : { path: more.data, end: () => {} };
  const config = `network: { default: none }\nsensors: { pace: ${pace} }\n${more.config ?? ""}`;
  const container = await startContainer({ data: disk, config, programs: more.programs ?? (await patientProgram()) });
  await container.ready("all");
  await connectWire(container.pid);
  await allReady(container.console);
  const aiosctl = new Aiosctl(container.console_socket);
  const srv = join(disk, "srv");
  for (const folder of ["cache", "tmp", "log", "srv", "srv/shop", "srv/backup"]) mkdirSync(join(disk, folder), { recursive: true });
  makeDatabase(join(srv, "shop/shop.db"));
  await setUp(aiosctl, srv);
  const ground: Ours = {
    ...beside(container),
    ...{ arm: "ours", container, aiosctl, pace, disk },
    async end() {
      await container.kill();
      unmount();
    },
    folders: { cache: join(disk, "cache"), temporary: join(disk, "tmp"), logs: join(disk, "log"), srv, backup: join(srv, "backup") },
    resolv: `${container.root}/run/aios/etc/resolv.conf`,
    patient: (name) => patientOf(container, disk, name),
    more: () => permission(aiosctl),
    person: personOf(aiosctl),
  };
  return ground;
}

export function personOf(aiosctl: Aiosctl): Served["person"] {
  return {
    restart: async (name) => void (await aiosctl.done("service.restart", { name })),
    stop: async (name) => void (await aiosctl.done("service.stop", { name })),
    start: async (name) => void (await aiosctl.done("service.start", { name })),
    setHostname: async (name) => void (await aiosctl.done("sys.hostname", { set: name })),
    declarePort: async (port, owner) => void (await aiosctl.done("net.listen", { port, owner })),
    closePort: async (port, owner) => void (await aiosctl.done("net.listen", { port, owner, remove: true })),
    unban: async (address) => void (await aiosctl.call("sec.unban", { address })),
  };
}

async function setUp(aiosctl: Aiosctl, srv: string): Promise<void> {
  await confirmed(aiosctl, "net.configure", {
    ...{ interface: wire.name, up: true, addresses: [wire.address], dns: [wire.gateway] },
    routes: [{ to: "default", via: wire.gateway }],
  });
  await aiosctl.done("sys.hostname", { set: "shopkeeper" });
  await aiosctl.done("sys.sysctl", { name: "net.ipv4.ip_forward", value: "0" });
  await defineServices(aiosctl, (uid) => {
    for (const path of ["shop", "shop/shop.db"]) chownSync(join(srv, path), uid, uid);
  });
}

/**
 * The services with their ports, a backup of the shop, and the grants. What the shop has is there already.
 * @param giveShop makes the shop's folder and database those of the user that its service runs as
 */
export async function defineServices(aiosctl: Aiosctl, giveShop: (uid: number) => Promise<void> | void): Promise<void> {
  await aiosctl.done("service.define", { name: "shop", ...usual, ...definitions.shop, start: false });
  await giveShop(Number((await aiosctl.done("service.status", { name: "shop" })).structuredContent?.["uid"]));
  await aiosctl.done("fs.copy", { from: `${data}/srv/shop`, to: `${data}/srv/backup/shop` });
  await aiosctl.done("service.start", { name: "shop" });
  for (const name of ["web", "clerk"] as const) await aiosctl.done("service.define", { name, ...usual, ...definitions[name] });
  await aiosctl.done("net.listen", { port: 8080, owner: "web" });
  await aiosctl.done("net.listen", { port: 8090, owner: "clerk" });
  for (const grant of grants)
    await aiosctl.done("sec.grant", {
      principal: "tier:tactical",
      ...grant,
      expires_in_s: 86_400,
      reason: "what helps may be done at night",
    });
}

const Grants = z.looseObject({ grants: z.array(z.looseObject({ id: z.string(), principal: z.string() })) });

/** Who may do what by grants. */
async function permission(aiosctl: Aiosctl): Promise<Map<string, string>> {
  const { out } = await aiosctl.run("--json", "grants");
  return new Map(Grants.parse(JSON.parse(out)).grants.map(({ id, principal }) => [`grant/${id}`, principal]));
}

/** As somebody does who has looked whether everything can still be reached. */
export async function confirmed(aiosctl: Aiosctl, tool: string, args: Record<string, unknown>): Promise<void> {
  const { _meta } = await aiosctl.done(tool, args);
  const { status, err } = await aiosctl.run("confirm", _meta.call);
  if (status !== 0) throw new Error(`confirming ${tool} failed: ${err}`);
}

export function folderOf(name: PatientName): string {
  return name === "shop" ? "srv/shop" : `services/${name}`;
}

export function portOf(name: PatientName): number | null {
  return name === "web" ? 8080 : name === "clerk" ? 8090 : null;
}

function patientOf(container: Container, disk: string, name: PatientName): Patient {
  const folder = join(disk, folderOf(name));
  const status = () => serviceStatus(container.console, name);
  return {
    folder,
    port: portOf(name),
    tell: (what) => order(folder, what),
    async pid() {
      const { pid } = await status();
      // the sandbox has a process of its own before the program
      return pid === null ? null : programOf(container.processes(), container.hostPid(pid));
    },
    ready: async () => (await status()).state === "ready",
    givenUp: async () => (await status()).state === "crash-loop",
  };
}

/** @param pid of the sandbox, among `all` */
export function programOf(all: readonly Task[], pid: number): number {
  let at = pid;
  for (;;) {
    const found = all.find((one) => one.pid === at);
    const below = all.find((one) => one.ppid === at);
    if (found?.name === "patient" || below === undefined) return at;
    at = below.pid;
  }
}

/** Until nothing is wrong any more: no alarm stands, no incident is open. */
export async function quiet(ours: Pick<Watched, "container">, limit_ms: number): Promise<void> {
  let last = "";
  const ask = async (): Promise<boolean> => {
    const { health } = await serviceStatus(ours.container.console, "reactive");
    const services = await ours.container.console.call("services");
    const away = services.filter(({ state }) => state !== "ready" && state !== "stopped").map(({ name, reason }) => `${name}: ${reason}`);
    last = [health?.detail ?? "reactive says nothing", ...away].join("; ");
    const [, ...alarms] = (health?.detail ?? "alarm unknown").split(/(?:^|; )alarm /);
    return alarms.every((one) => [...of_host, ...told_only].some((name) => one.startsWith(`${name} `))) && away.length === 0;
  };
  await waitFor("all to be quiet", ask, { limit_ms, every_ms: 500, explain: () => last });
}
