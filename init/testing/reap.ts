/** Run as PID 1 of new namespaces by `orphans.test.ts`: many orphans and many children of its own, at the same time. */

import { closeSync, constants, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { allStats } from "../../sys/procfs.ts";
import { orphanReaper } from "../supervise/orphans.ts";
import { run } from "../supervise/process.ts";

const orphans = Number(process.argv[2]);
const children = Number(process.argv[3]);
const reaping = process.argv[4] !== "no";
const each_shell = 50;

const errors: string[] = [];
const reaper = orphanReaper({
  process: linuxSystem().process,
  now: () => performance.now(),
  onError: (error) => errors.push(String(error)),
});
if (reaping) {
  process.on("SIGCHLD", () => reaper.ended());
  setInterval(() => reaper.reap(), 200);
}

const start = (command: string): Promise<number | null> => {
  const { pid, ended } = run({ argv: ["/bin/sh", "-c", command], env: {}, onPid: reaper.own });
  return ended.then(({ status }) => {
    reaper.disown(pid);
    return status;
  });
};

// A shell that starts processes in the background and ends leaves orphans. They end when the gate is opened, which is after all
// shells have ended: one that ends before its shell is collected by it, and is no orphan.
const gate = join(mkdtempSync(join(tmpdir(), "gate-")), "gate");
Bun.spawnSync(["mkfifo", gate]);
const shells = Array.from({ length: orphans / each_shell }, () =>
  start(`i=0; while [ $i -lt ${each_shell} ]; do (read -r _ < ${gate}) & i=$((i+1)); done`),
);
const own = Array.from({ length: children }, (_, index) => start(`exit ${index % 200}`));
const statuses = await Promise.all(own);
await Promise.all(shells);
/** Lets through whoever stands before it by now. */
const openGate = (): void => {
  try {
    closeSync(openSync(gate, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // nobody stands before it yet
  }
};
const orphansThat = (are: (state: string) => boolean): number =>
  allStats().filter(({ ppid, state }) => ppid === process.pid && are(state)).length;
const until = async (over: () => boolean, limit_ms: number): Promise<void> => {
  for (const end_ms = performance.now() + limit_ms; !over() && performance.now() < end_ms; ) await Bun.sleep(50);
};
const allEnded = (): boolean => {
  if (orphansThat((state) => state !== "Z") === 0) return true;
  openGate();
  return false;
};
await until(allEnded, 40_000);
if (reaping) await until(() => orphansThat((state) => state === "Z") === 0, 5000);
const zombies = orphansThat((state) => state === "Z");
const wrong = statuses.filter((status, index) => status !== index % 200).length;
process.stdout.write(`${JSON.stringify({ zombies, wrong, collected: reaper.collected, errors })}\n`);
process.exit(0);
