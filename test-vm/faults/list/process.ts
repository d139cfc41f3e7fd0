/** Services and processes that end, hang, or take what they can get. */

import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../wait.ts";
import { answerOn, niceOf, processorTicks } from "../effects.ts";
import type { Fault } from "../fault.ts";
import type { Ground, PatientName } from "../ground.ts";

/** It runs as another process than before, and answers where it should. */
async function anew(ground: Ground, name: PatientName, before: number | null): Promise<boolean> {
  const one = ground.patient(name);
  const pid = await one.pid();
  if (pid === null || pid === before || !(await one.ready())) return false;
  return one.port === null || (await answerOn(ground, one.port)) === "well";
}

async function pidOf(ground: Ground, name: PatientName): Promise<number> {
  const pid = await ground.patient(name).pid();
  if (pid === null) throw new Error(`looking for the service "${name}" failed: it does not run`);
  return pid;
}

/** Its processes by the kernel: itself and what it has started. */
function tasksBelow(ground: Ground, pid: number): number[] {
  const all = ground.inside.processes();
  const found = [pid];
  for (const at of found) found.push(...all.filter((one) => one.ppid === at).map((one) => one.pid));
  return found;
}

/** An order that makes it ill, and a new process is the cure. */
function ill(name: string, family: Fault["family"], what: string, order: string, alarm: string): Fault {
  return {
    name,
    family,
    what,
    noticed: { alarms: [alarm], subject: "web" },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      ground.patient("web").tell(order);
      return () => anew(ground, "web", before);
    },
  };
}

export const process_faults: readonly Fault[] = [
  {
    name: "service-killed",
    family: "process",
    what: "a service is killed",
    noticed: { alarms: [], rules: ["service-dead"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      process.kill(before, "SIGKILL");
      return () => anew(ground, "web", before);
    },
  },
  {
    name: "service-frozen",
    family: "process",
    what: "a service stands still (SIGSTOP)",
    noticed: { alarms: [], rules: ["service-hung"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      process.kill(before, "SIGSTOP");
      return () => anew(ground, "web", before);
    },
  },
  {
    name: "service-hangs",
    family: "process",
    what: "a service runs, but does nothing any more",
    noticed: { alarms: [], rules: ["service-hung"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      ground.patient("web").tell("hang");
      return () => anew(ground, "web", before);
    },
  },
  {
    name: "crash-loop",
    family: "process",
    what: "a service ends again and again, until what it misses is there again; by then it has been given up",
    noticed: { alarms: ["service-crash-loop"], subject: "web", rules: ["service-dead"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const one = ground.patient("web");
      // as long as it is started, it ends at once: until nobody starts it any more
      const kill = async (): Promise<boolean> => {
        const pid = await one.pid();
        if (pid !== null) endProcessOf(pid);
        return await one.givenUp();
      };
      await waitFor("the service to be given up", kill, { limit_ms: 120_000, every_ms: 50 });
      return () => anew(ground, "web", null);
    },
  },
  {
    name: "start-hangs",
    family: "process",
    what: "a service that was killed does not get ready the next time",
    noticed: { alarms: ["service-down"], subject: "web", rules: ["service-dead"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      const slow = join(ground.patient("web").folder, "slow");
      writeFileSync(slow, "600000\n");
      chmodSync(slow, 0o644);
      process.kill(before, "SIGKILL");
      return () => anew(ground, "web", before);
    },
  },
  ill("memory-leak", "memory", "a service takes nearly all memory that it may have", "leak 90", "service-memory"),
  ill("fork-bomb", "process", "a service has as many processes as it may", "fork 58", "service-tasks"),
  ill("file-leak", "process", "a service has as many files open as it may", "files 1000", "service-files"),
  {
    name: "runaway-child",
    family: "cpu",
    what: "a process of a service keeps a processor busy",
    noticed: { alarms: ["runaway-process"], subject: " of web" },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      ground.patient("web").tell("spin");
      return async () => {
        const now = await ground.patient("web").pid();
        const tasks = now === null ? [] : tasksBelow(ground, now);
        if (tasks.length === 0 || (now === before && tasks.length === 1)) return false;
        // either it gives way to everybody, or it is gone
        return now !== before || tasks.slice(1).every((pid) => niceOf(pid) === 19);
      };
    },
    async clean(ground) {
      await ground.person.restart("web");
    },
  },
  {
    name: "runaway-stranger",
    family: "cpu",
    what: "a process that belongs to no service keeps a processor busy",
    noticed: { alarms: ["runaway-process"], subject: "pid:" },
    async inject(ground) {
      const pid = await stranger(ground, "while :; do :; done");
      return () => processorTicks(pid) === null || niceOf(pid) === 19;
    },
    clean: endStrangers,
  },
];

const strangers: number[] = [];

/** A process of nobody's in the system's namespaces, by the host's number. What it becomes by exec keeps "$0", by which it is found. */
export async function stranger(ground: Ground, script: string): Promise<number> {
  const known = new Set(ground.inside.processes().map(({ pid }) => pid));
  const mark = `stranger-${crypto.randomUUID()}`;
  const child = Bun.spawn(
    [
      "nsenter",
      "--target",
      String(ground.inside.pid),
      "--pid",
      "--net",
      "--uts",
      "--ipc",
      "--",
      "setsid",
      "--fork",
      "bash",
      "-c",
      script,
      mark,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "inherit" },
  );
  await child.exited;
  for (let tries = 0; tries < 200; tries += 1) {
    for (const entry of readdirSync("/proc")) {
      const pid = Number(entry);
      if (Number.isInteger(pid) && !known.has(pid) && (await cmdline(pid)).includes(mark)) {
        strangers.push(pid);
        setPriority(pid, 0); // also where the suite itself gives way to others
        return pid;
      }
    }
    await Bun.sleep(20);
  }
  throw new Error("starting a process of nobody's failed: it is not there");
}

async function cmdline(pid: number): Promise<string> {
  try {
    return await Bun.file(`/proc/${pid}/cmdline`).text();
  } catch {
    return "";
  }
}

export function endStrangers(): void {
  for (const pid of strangers.splice(0)) endProcessOf(pid);
}

function endProcessOf(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended already
  }
}
