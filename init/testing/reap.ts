/** Run as PID 1 of new namespaces by `orphans.test.ts`: many orphans and many children of its own, at the same time. */

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

// A shell that starts processes in the background and ends leaves orphans.
const shells = Array.from({ length: orphans / each_shell }, () =>
  start(`i=0; while [ $i -lt ${each_shell} ]; do sleep 3 & i=$((i+1)); done`),
);
const own = Array.from({ length: children }, (_, index) => start(`exit ${index % 200}`));
const statuses = await Promise.all(own);
await Promise.all(shells);
await Bun.sleep(3500);
const zombies = allStats().filter(({ state }) => state === "Z").length;
const wrong = statuses.filter((status, index) => status !== index % 200).length;
process.stdout.write(`${JSON.stringify({ zombies, wrong, collected: reaper.collected, errors })}\n`);
process.exit(0);
