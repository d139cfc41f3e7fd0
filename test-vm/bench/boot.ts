/**
 * From power to ready, in the virtual machine: direct boot and the UEFI disk; what it all takes in memory and on disk.
 * Beside it a conventional Debian 13.
 */

import { statSync } from "node:fs";
import type { BootTimeline } from "../../contracts/init.ts";
import { core_services } from "../../contracts/service.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { say } from "../../tooling/progress.ts";
import { startConventionalMachine } from "../conventional/machine.ts";
import { needBuilt } from "../places.ts";
import { type Machine, startMachine } from "../qemu.ts";
import { without_models } from "../scenarios/without-models.ts";
import { waitFor } from "../wait.ts";
import { rowOf, rowOfValue, Samples, versus } from "./rows.ts";

const boots = 10;
const conventional_boots = 5;
/** The machine that both get. */
const cpus = 2;
const memory_mib = 1024;
const console_answers = "direct: power to console answering, by the host's clock";
const memory_used = "memory used, kernel and compressed swap included";
/** Seconds after which a system counts as idle: what only the start needs is let go, and what nobody touches is taken (init/boot/cold-memory.ts). */
const settle_s = 600;
/** What it holds, by its config, and how often that is looked at. */
const idle_kinds = [
  ["without models", without_models, 2],
  ["with models", "", 1],
] as const;

export async function benchBoot(): Promise<BenchRow[]> {
  const times = new Samples();
  const memory = new Samples();
  for (const boot of ["direct", "disk"] as const) {
    for (let round = 1; round <= boots; round += 1) {
      const begin_ms = performance.now();
      const machine = await startMachine({ boot, agent: false, cpus, memory_mib });
      try {
        const answered_ms = await firstAnswer(machine);
        if (boot === "direct") times.add(console_answers, performance.now() - begin_ms);
        await machine.ready();
        const wall_ms = performance.now() - begin_ms;
        const timeline = await timelineOf(machine);
        times.add(`${boot}: PID 1 exec to first answer, from outside`, answered_ms - (timeline.marks["stage0"] ?? Number.NaN));
        addTimes(times, boot, timeline);
        await addServices(times, boot, machine, timeline);
        if (boot === "disk") times.add("disk: firmware and loader", wall_ms - (timeline.marks["all-ready"] ?? Number.NaN));
        say(`boot by ${boot} ${round} of ${boots}: ready after ${(wall_ms / 1000).toFixed(1)} s`);
        await machine.poweroff();
      } finally {
        await machine.kill();
      }
    }
  }
  // one after the other: from who waits for the processor less is taken
  for (const [kind, config, rounds] of idle_kinds) for (let round = 1; round <= rounds; round += 1) await addIdle(memory, { kind, config });
  const theirs = await conventional();
  const rows = [...times.rows("ms"), ...memory.rows("bytes"), ...sizes()];
  return rows.map((row) => {
    if (row.name === console_answers) return versus(row, "Debian 13, systemd: power to sshd answering", theirs.answers);
    return row.name === `idle without models: ${memory_used}` ? versus(row, "Debian 13, systemd, sshd, chrony", theirs.memory) : row;
  });
}

interface Idle {
  readonly kind: string;
  readonly config: string;
}

async function addIdle(memory: Samples, { kind, config }: Idle): Promise<void> {
  const machine = await startMachine({ boot: "direct", agent: false, cpus, memory_mib, config });
  try {
    await machine.ready();
    await Bun.sleep(settle_s * 1000);
    const { all, used } = await addMemory(memory, kind, machine);
    say(`idle ${kind}: ${all} MB of processes, ${used} MB used in all`);
  } finally {
    await machine.kill();
  }
}

/** A conventional system on the same kernel, machine and emulation. */
async function conventional(): Promise<{ readonly answers: BenchRow; readonly memory: BenchRow }> {
  const answers: number[] = [];
  const memory: number[] = [];
  for (let round = 1; round <= conventional_boots; round += 1) {
    const begin_ms = performance.now();
    const machine = await startConventionalMachine({ cpus, memory_mib });
    try {
      await machine.ready();
      answers.push(performance.now() - begin_ms);
      say(
        `conventional boot ${round} of ${conventional_boots}: sshd answers after ${((performance.now() - begin_ms) / 1000).toFixed(1)} s`,
      );
      if (round <= 3) memory.push(await machine.usedBytes());
    } finally {
      await machine.kill();
    }
  }
  return { answers: rowOf("", "ms", answers), memory: rowOf("", "bytes", memory) };
}

/** When the console first answered a request that came over the serial line: its own boot clock, milliseconds. */
function firstAnswer(machine: Machine): Promise<number> {
  const ask = async (): Promise<number> => (await machine.console.call("status")).uptime_ms;
  return waitFor("a first answer", ask, { limit_ms: 180_000, every_ms: 10 });
}

async function addServices(times: Samples, boot: string, machine: Machine, { marks }: BootTimeline): Promise<void> {
  const services = await machine.console.call("services");
  for (const name of core_services) {
    const found = services.find((service) => service.name === name && service.state === "ready" && service.restarts === 0);
    times.add(`${boot}: PID 1 exec to ${name} ready`, (found?.since_ms ?? Number.NaN) - (marks["stage0"] ?? Number.NaN));
  }
}

function timelineOf(machine: Machine): Promise<BootTimeline> {
  const ask = async (): Promise<BootTimeline | false> => {
    const found = await machine.console.call("boot");
    return found.marks["all-ready"] !== undefined && found;
  };
  return waitFor("the boot timeline", ask, { limit_ms: 30_000, every_ms: 200 });
}

function addTimes(times: Samples, boot: string, { marks, phases }: BootTimeline): void {
  const between = (from: string, to: string): number => (marks[to] ?? Number.NaN) - (marks[from] ?? Number.NaN);
  times.add(`${boot}: kernel (to stage0)`, between("kernel", "stage0"));
  times.add(`${boot}: stage0 and start of the runtime (to init)`, between("stage0", "init"));
  times.add(`${boot}: PID 1 exec to console ready`, between("stage0", "console-ready"));
  times.add(`${boot}: PID 1 exec to all ready`, between("stage0", "all-ready"));
  times.add(`${boot}: kernel start to console ready`, between("kernel", "console-ready"));
  times.add(`${boot}: kernel start to all ready`, between("kernel", "all-ready"));
  if (boot !== "direct") return;
  for (const phase of phases) times.add(`phase ${phase.name}`, (phase.end_ms ?? Number.NaN) - phase.start_ms);
}

/** @returns megabytes of all processes, and of all that is used */
async function addMemory(memory: Samples, kind: string, machine: Machine): Promise<{ readonly all: number; readonly used: number }> {
  const processes = await machine.console.call("processes");
  let all = 0;
  const by_service = new Map<string, number>();
  for (const process_ of processes) {
    all += process_.pss_bytes ?? 0;
    const service = process_.service ?? (process_.pid === 1 ? "PID 1" : null);
    if (service !== null) by_service.set(service, (by_service.get(service) ?? 0) + (process_.pss_bytes ?? 0));
  }
  for (const [service, bytes] of by_service) memory.add(`idle ${kind}: memory (PSS) of ${service}`, bytes);
  memory.add(`idle ${kind}: memory (PSS) of all processes`, all);
  const { used_bytes } = (await machine.console.call("metrics")).memory;
  memory.add(`idle ${kind}: ${memory_used}`, used_bytes);
  return { all: Math.round(all / 1e6), used: Math.round(used_bytes / 1e6) };
}

function sizes(): BenchRow[] {
  const size = (path: string): number => statSync(path).size;
  const allocated = (path: string): number => statSync(path).blocks * 512;
  return [
    rowOfValue("size of the packed root", "bytes", size(needBuilt("root_image"))),
    rowOfValue("size of the kernel", "bytes", size(needBuilt("kernel"))),
    rowOfValue("size of the executable", "bytes", size(needBuilt("executable"))),
    rowOfValue("size of the disk image", "bytes", size(needBuilt("disk_image"))),
    rowOfValue("blocks used by the disk image", "bytes", allocated(needBuilt("disk_image"))),
  ];
}
