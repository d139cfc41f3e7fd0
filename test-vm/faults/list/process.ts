/** Services and processes that end, hang, or take what they can get. */

import { join } from "node:path";
import { waitFor } from "../../wait.ts";
import type { Fault } from "../fault.ts";
import type { PatientName, Served } from "../ground.ts";

/** It runs as another process than before, and answers where it should. */
async function anew(ground: Served, name: PatientName, before: number | null): Promise<boolean> {
  const one = ground.patient(name);
  const pid = await one.pid();
  if (pid === null || pid === before || !(await one.ready())) return false;
  return one.port === null || (await ground.answerOn(one.port)) === "well";
}

async function pidOf(ground: Served, name: PatientName): Promise<number> {
  const pid = await ground.patient(name).pid();
  if (pid === null) throw new Error(`looking for the service "${name}" failed: it does not run`);
  return pid;
}

/** Its processes by the kernel: itself and what it has started. */
async function tasksBelow(ground: Served, pid: number): Promise<number[]> {
  const all = await ground.tasks();
  const found = [pid];
  for (const at of found) found.push(...all.filter((one) => one.ppid === at).map((one) => one.pid));
  return found;
}

/** An order that makes it ill, and a new process is the cure. */
function ill(name: string, family: Fault["family"], what: string, order: string, alarm: string): Fault<Served> {
  return {
    name,
    family,
    what,
    noticed: { alarms: [alarm], subject: "web" },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      await ground.patient("web").tell(order);
      return () => anew(ground, "web", before);
    },
  };
}

export const process_faults: readonly Fault<Served>[] = [
  {
    name: "service-killed",
    family: "process",
    what: "a service is killed",
    noticed: { alarms: [], rules: ["service-dead"] },
    traces: [/^service\/web$/],
    async inject(ground) {
      const before = await pidOf(ground, "web");
      await ground.signal(before, "KILL");
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
      await ground.signal(before, "STOP");
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
      await ground.patient("web").tell("hang");
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
        if (pid !== null) await ground.signal(pid, "KILL");
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
      await ground.files.write(join(ground.patient("web").folder, "slow"), "600000\n");
      await ground.signal(before, "KILL");
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
      await ground.patient("web").tell("spin");
      return async () => {
        const now = await ground.patient("web").pid();
        const tasks = now === null ? [] : await tasksBelow(ground, now);
        if (tasks.length === 0 || (now === before && tasks.length === 1)) return false;
        // either it gives way to everybody, or it is gone
        if (now !== before) return true;
        for (const pid of tasks.slice(1)) if ((await ground.niceOf(pid)) !== 19) return false;
        return true;
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
      const pid = await ground.stranger("spin");
      return async () => [null, 19].includes(await ground.niceOf(pid));
    },
    clean: (ground) => ground.endStrangers(),
  },
];
