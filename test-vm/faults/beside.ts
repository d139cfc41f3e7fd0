/** What faults do beside a system whose processes and files are this host's: a container. */

import { chmodSync, copyFileSync, lstatSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Namespaces } from "../namespaces.ts";
import { damage, isWhole } from "./database.ts";
import { answerOn, listeners, nft, niceOf, writeMib } from "./effects.ts";
import type { Files, Ground, StrangerDoes } from "./ground.ts";

type Beside = Pick<
  Ground,
  "inside" | "files" | "tasks" | "signal" | "niceOf" | "stranger" | "endStrangers" | "listeners" | "answerOn" | "ruleset"
>;

export function beside(inside: Namespaces): Beside {
  const strangers: number[] = [];
  return {
    ...{ inside, files, niceOf, signal },
    tasks: () => inside.processes(),
    async stranger(does) {
      const pid = await stranger(inside, does);
      strangers.push(pid);
      return pid;
    },
    endStrangers() {
      for (const pid of strangers.splice(0)) signal(pid, "KILL");
    },
    listeners: () => listeners(inside.pid),
    answerOn: (port) => answerOn({ inside }, port),
    ruleset: () => nft({ inside }, "list", "ruleset"),
  };
}

const files: Files = {
  write(path, text) {
    writeFileSync(path, text);
    chmodSync(path, 0o644);
  },
  fill: writeMib,
  copy: (from, to) => copyFileSync(from, to),
  remove: (path) => rmSync(path, { force: true }),
  makeSetuid(path) {
    copyFileSync("/bin/true", path);
    chmodSync(path, 0o4755);
  },
  mode(path) {
    try {
      return lstatSync(path).mode & 0o7777;
    } catch {
      return null;
    }
  },
  damage,
  isWhole,
};

function signal(pid: number, name: "KILL" | "STOP"): void {
  try {
    process.kill(pid, `SIG${name}`);
  } catch {
    // it has ended already
  }
}

/** By the host's number. What it becomes by exec keeps "$0", by which it is found. */
async function stranger(inside: Namespaces, does: StrangerDoes): Promise<number> {
  const known = new Set(inside.processes().map(({ pid }) => pid));
  const mark = `stranger-${crypto.randomUUID()}`;
  const ways = ["--pid", "--net", "--uts", "--ipc"];
  const argv = ["nsenter", "--target", String(inside.pid), ...ways, "--", "setsid", "--fork", "bash", "-c", scriptOf(does), mark];
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  await child.exited;
  for (let tries = 0; tries < 200; tries += 1) {
    for (const entry of readdirSync("/proc")) {
      const pid = Number(entry);
      if (Number.isInteger(pid) && !known.has(pid) && (await cmdline(pid)).includes(mark)) {
        setPriority(pid, 0); // also where the suite itself gives way to others
        return pid;
      }
    }
    await Bun.sleep(20);
  }
  throw new Error("starting a process of nobody's failed: it is not there");
}

function scriptOf(does: StrangerDoes): string {
  if (does === "spin") return "while :; do :; done";
  const program = `Bun.listen({ hostname: "0.0.0.0", port: ${does.listen}, socket: { data() {} } })`;
  return `exec ${process.execPath} -e '${program}' "$0"`;
}

async function cmdline(pid: number): Promise<string> {
  try {
    return await Bun.file(`/proc/${pid}/cmdline`).text();
  } catch {
    return "";
  }
}
