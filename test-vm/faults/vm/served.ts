/** The services under test in a machine, and what faults do there: all by the root access of the test initrd, whose paths these are. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { newFolder } from "../../places.ts";
import type { Machine } from "../../qemu.ts";
import type { Aiosctl } from "../../scenarios/aiosctl.ts";
import { serviceStatus } from "../../scenarios/expect.ts";
import { isWhole } from "../database.ts";
import { listenersIn, niceIn } from "../effects.ts";
import type { Files, Patient, PatientName, Served, StrangerDoes, Task } from "../ground.ts";
import { defineServices, folderOf, personOf, portOf, programOf } from "../ours/system.ts";

export const data = "/proc/1/root/var/lib/aios";
/** In the initrd: the program, and the shop's database as it is at first. */
export const in_programs = { folder: "/programs", program: "patient", database: "shop.db" } as const;

/** Runs a script. @returns what it wrote, trimmed @throws when it fails */
export type Sh = (script: string) => Promise<string>;

/** Bytes of a file in one script, before base64. */
const piece_bytes = 9000;

/** A file for everybody to read. */
export async function put(sh: Sh, bytes: Buffer, path: string): Promise<void> {
  for (let at = 0; at === 0 || at < bytes.length; at += piece_bytes) {
    const piece = bytes.subarray(at, at + piece_bytes).toString("base64");
    await sh(`echo ${piece} | base64 -d ${at === 0 ? ">" : ">>"} ${path}`);
  }
  await sh(`chmod 644 ${path}`);
}

type InMachine = Omit<Served, "arm" | "pace" | "end">;

export function servedOf(machine: Machine, aiosctl: Aiosctl, sh: Sh): InMachine {
  const strangers: number[] = [];
  const tasks = async (): Promise<Task[]> => (await sh("cat /proc/[0-9]*/stat 2>/dev/null || true")).split("\n").flatMap(taskIn);
  return {
    folders: { srv: `${data}/srv`, backup: `${data}/srv/backup` },
    ...{ files: filesOf(sh), tasks, person: personOf(aiosctl) },
    patient: (name) => patientOf(machine, sh, tasks, name),
    signal: async (pid, name) => void (await sh(`kill -${name} ${pid} 2>/dev/null || true`)),
    async niceOf(pid) {
      const stat = await sh(`cat /proc/${pid}/stat 2>/dev/null || true`);
      return stat === "" ? null : niceIn(stat);
    },
    async stranger(does) {
      const pid = Number(await sh(`${commandOf(does)} </dev/null >/dev/null 2>&1 3>&- & echo $!`));
      strangers.push(pid);
      return pid;
    },
    async endStrangers() {
      for (const pid of strangers.splice(0)) await sh(`kill -KILL ${pid} 2>/dev/null || true`);
    },
    listeners: async () => listenersIn(await sh("cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true")),
    answerOn: (port) => sh(`nc -w 3 127.0.0.1 ${port} </dev/null 2>/dev/null || true`),
    ruleset: () => sh("here /usr/sbin/nft list ruleset"),
  };
}

/** As somebody sets them up who means it. */
export async function setUpServed(aiosctl: Aiosctl, sh: Sh): Promise<void> {
  await sh(
    `cd ${data}; mkdir -p srv/shop srv/backup; cp ${in_programs.folder}/${in_programs.database} srv/shop/shop.db; chmod 644 srv/shop/shop.db`,
  );
  await defineServices(aiosctl, async (uid) => void (await sh(`cd ${data}/srv; chown ${uid}:${uid} shop shop/shop.db`)));
}

function commandOf(does: StrangerDoes): string {
  if (does === "spin") return "setsid sh -c 'while :; do :; done'";
  return `mkdir -p /work/stranger; setsid ${in_programs.folder}/${in_programs.program} /work/stranger ${does.listen}`;
}

/** proc_pid_stat(5): `12 (name) S 1 …` */
function taskIn(line: string): Task[] {
  const [, pid, name, ppid] = /^(\d+) \((.*)\) \S (\d+) /.exec(line) ?? [];
  return name === undefined ? [] : [{ pid: Number(pid), ppid: Number(ppid), name }];
}

function patientOf({ console: console_ }: Machine, sh: Sh, tasks: () => Promise<Task[]>, name: PatientName): Patient {
  const folder = `${data}/${folderOf(name)}`;
  const status = () => serviceStatus(console_, name);
  return {
    ...{ folder, port: portOf(name) },
    tell: async (what) => void (await sh(`cd ${folder}; echo '${what}' > do.new; chmod 644 do.new; mv do.new do`)),
    async pid() {
      const { pid } = await status();
      // PID 1 counts in its own namespace, which in a machine is that of the kernel
      return pid === null ? null : programOf(await tasks(), pid);
    },
    ready: async () => (await status()).state === "ready",
    givenUp: async () => (await status()).state === "crash-loop",
  };
}

function filesOf(sh: Sh): Files {
  return {
    write: (path, text) => put(sh, Buffer.from(text), path),
    fill: async (path, mib) => void (await sh(`dd if=/dev/zero of=${path} bs=1M count=${mib} 2>/dev/null`)),
    copy: async (from, to) => void (await sh(`cp ${from} ${to}`)),
    remove: async (path) => void (await sh(`rm -f ${path}`)),
    makeSetuid: async (path) => void (await sh(`cp /bin/busybox ${path}; chmod 4755 ${path}`)),
    async mode(path) {
      const mode = await sh(`stat -c %a ${path} 2>/dev/null || true`);
      return mode === "" ? null : Number.parseInt(mode, 8);
    },
    async damage(path) {
      const pages = `$((($(stat -c %s ${path}) + 4095) / 4096 - 1))`;
      await sh(`tr '\\0' '\\245' < /dev/zero | dd of=${path} bs=4096 seek=1 count=${pages} iflag=fullblock conv=notrunc 2>/dev/null`);
    },
    async isWhole(path) {
      const copy = join(newFolder("shop"), "shop.db");
      writeFileSync(copy, Bun.gunzipSync(Buffer.from(await sh(`gzip -c ${path} | base64`), "base64")));
      return isWhole(copy);
    },
  };
}
