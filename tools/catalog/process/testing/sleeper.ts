/** A process for tests to look at, freeze and end. */

import { basename } from "node:path";
import { readStat } from "../../../../sys/procfs.ts";

interface Sleeper {
  readonly pid: number;
  readonly started_ticks: number;
  readonly state: () => string;
  readonly ended: Promise<string | number>;
  end(): Promise<void>;
}

export async function sleeper(argv: readonly string[] = ["sleep", "600"]): Promise<Sleeper> {
  const child = Bun.spawn([...argv], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const name = basename(argv[0] ?? "");
  const runs = (): boolean => {
    const stat = readStat(child.pid);
    return stat?.state === "S" && stat.name === name; // before exec it has the name of the one who started it
  };
  for (let round = 0; round < 2000 && !runs(); round += 1) await Bun.sleep(1);
  return {
    pid: child.pid,
    started_ticks: readStat(child.pid)?.started ?? 0,
    state: () => readStat(child.pid)?.state ?? "gone",
    ended: child.exited.then(() => child.signalCode ?? child.exitCode ?? -1),
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The message of the ToolError with which `work` fails. */
export async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error && error.name === "ToolError") return error.message;
    throw error;
  }
  return "it did not fail";
}
