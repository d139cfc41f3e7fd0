/** Ways to a file that the caller may not touch, by the name of one that he may. */

import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { type Attempt, demand, same } from "./attempt.ts";
import { admin, canary, fingerprint, operator, type Stage, type Who } from "./stage.ts";

const sys = linuxSystem();

/** Whether a text that nobody may read is in what was answered. */
export function demandNoLeak(what: string, answer: unknown): void {
  demand(`${what}: what nobody may read was answered`, !JSON.stringify(answer).includes(canary) && !hidesCanary(answer));
}

function hidesCanary(answer: unknown): boolean {
  if (typeof answer === "string") return Buffer.from(answer, "base64").toString("latin1").includes(canary);
  if (typeof answer !== "object" || answer === null) return false;
  return Object.values(answer).some(hidesCanary);
}

const keysOf = (stage: Stage): string => join(stage.data, "console/keys");

/** Everyone who may read much tries to read it, by every tool that reads. */
async function readsNothing(stage: Stage, path: string, who: readonly Who[] = ["tactical", "strategic", admin]): Promise<void> {
  for (const one of who)
    for (const [tool, args] of [
      ["fs.read", { path }],
      ["fs.search", { path, pattern: "canary" }],
      ["fs.copy", { from: path, to: join(stage.work, `copied-${Math.random()}`), follow: true }],
    ] as const)
      demandNoLeak(`${tool} ${path} by ${JSON.stringify(one)}`, await stage.call(one, tool, args));
  for (const name of existsSync(stage.work) ? readdirSync(stage.work) : [])
    if (name.startsWith("copied-") && lstatSync(join(stage.work, name)).isFile())
      demandNoLeak(name, readFileSync(join(stage.work, name), "latin1"));
}

/** Exchanges two names for as long as `work` takes, as fast as it can. */
async function swapping(a: string, b: string, work: () => Promise<void>): Promise<void> {
  const number = process.arch === "x64" ? 316 : 276; // renameat2(2)
  const program = `while (1) { syscall(${number}, -100, $ARGV[0], -100, $ARGV[1], 2) }`;
  const child = Bun.spawn(["perl", "-e", program, a, b], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  try {
    await work();
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** `name` is by turns a folder of the caller's and a link to one that he may not change, in which `victim` lies. */
async function racing(stage: Stage, rounds: number, call: (folder: string, round: number) => Promise<unknown>): Promise<void> {
  const [folder, link] = [join(stage.work, "folder"), join(stage.work, "other")];
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "mine\n");
  writeFileSync(join(stage.outside, "file"), "victim\n", { mode: 0o600 });
  const before = [fingerprint(join(stage.outside, "file")), readdirSync(stage.outside)];
  symlinkSync(stage.outside, link);
  await swapping(folder, link, async () => {
    for (let round = 0; round < rounds; round += 1) await call(folder, round);
  });
  same("the folder outside", [fingerprint(join(stage.outside, "file")), readdirSync(stage.outside)], before);
}

const rounds = 25;

function bind(source: string, target: string): void {
  sys.mount.mount({ source, target, type: "", flags: ["bind"] });
}

export const paths: readonly Attempt[] = [
  {
    name: "fs.write while the folder is swapped for a link outwards",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, (folder) =>
        stage.call("tactical", "fs.write", { path: `${folder}/file`, content: "taken over\n", how: "write" }),
      ),
  },
  {
    name: "fs.write of a new file while the folder is swapped",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, (folder, round) =>
        stage.call("tactical", "fs.write", { path: `${folder}/new-${round}`, content: "planted\n", how: "write" }),
      ),
  },
  {
    name: "fs.edit while the folder is swapped",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, (folder) =>
        stage.call("tactical", "fs.edit", { path: `${folder}/file`, edits: [{ old: "victim", new: "hacked" }] }),
      ),
  },
  {
    name: "fs.chmod while the folder is swapped",
    by: "tactical",
    run: (stage) => racing(stage, rounds, (folder) => stage.call("tactical", "fs.chmod", { path: `${folder}/file`, mode: "0777" })),
  },
  {
    name: "fs.chown while the folder is swapped",
    by: "tactical",
    run: (stage) => racing(stage, rounds, (folder) => stage.call("tactical", "fs.chown", { path: `${folder}/file`, uid: 890, gid: 890 })),
  },
  {
    name: "fs.remove while the folder is swapped",
    by: "tactical",
    run: (stage) => racing(stage, rounds, (folder) => stage.call("tactical", "fs.remove", { path: `${folder}/file` })),
  },
  {
    name: "fs.move outwards while the folder is swapped",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, (folder, round) => {
        writeFileSync(join(stage.work, `source-${round}`), "planted\n");
        return stage.call("tactical", "fs.move", { from: join(stage.work, `source-${round}`), to: `${folder}/moved-${round}` });
      }),
  },
  {
    name: "fs.move of a file from outside while the folder is swapped",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, (folder, round) =>
        stage.call("tactical", "fs.move", { from: `${folder}/file`, to: join(stage.work, `taken-${round}`) }),
      ),
  },
  {
    name: "fs.copy outwards while the folder is swapped",
    by: "tactical",
    run: (stage) => {
      writeFileSync(join(stage.work, "source"), "planted\n");
      return racing(stage, rounds, (folder, round) =>
        stage.call("tactical", "fs.copy", { from: join(stage.work, "source"), to: `${folder}/copied-${round}` }),
      );
    },
  },
  {
    name: "fs.mkdir and fs.link while the folder is swapped",
    by: "tactical",
    run: (stage) =>
      racing(stage, rounds, async (folder, round) => {
        await stage.call("tactical", "fs.mkdir", { path: `${folder}/made-${round}` });
        await stage.call("tactical", "fs.link", { path: `${folder}/link-${round}`, to: "/etc/passwd", kind: "symbolic" });
      }),
  },
  {
    name: "fs.read of the keys while a file is swapped for a link to them",
    by: "strategic",
    async run(stage) {
      const [file, link] = [join(stage.work, "file"), join(stage.work, "link")];
      writeFileSync(file, "harmless\n");
      symlinkSync(keysOf(stage), link);
      await swapping(file, link, async () => {
        for (let round = 0; round < rounds; round += 1)
          for (const tool of ["fs.read", "fs.checksum"]) demandNoLeak(tool, await stage.call("strategic", tool, { path: file }));
        for (let round = 0; round < rounds; round += 1)
          await stage.call("tactical", "fs.copy", { from: file, to: join(stage.work, `copy-${round}`), follow: true });
      });
      for (const name of readdirSync(stage.work))
        if (name.startsWith("copy-") && lstatSync(join(stage.work, name)).isFile())
          demandNoLeak(name, readFileSync(join(stage.work, name), "latin1"));
    },
  },
  {
    name: "fs.search of a tree in which a folder is swapped for a link to the console's",
    by: "strategic",
    async run(stage) {
      const [folder, link] = [join(stage.work, "tree/sub"), join(stage.work, "tree/link")];
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "keys"), "harmless\n");
      symlinkSync(join(stage.data, "console"), link);
      await swapping(folder, link, async () => {
        for (let round = 0; round < rounds; round += 1)
          demandNoLeak("fs.search", await stage.call("strategic", "fs.search", { path: join(stage.work, "tree"), pattern: "canary" }));
      });
    },
  },
  {
    name: "fs.chmod of a tree in which a folder is swapped",
    by: "tactical",
    async run(stage) {
      const [folder, link] = [join(stage.work, "tree/sub"), join(stage.work, "tree/link")];
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "file"), "mine\n");
      writeFileSync(join(stage.outside, "file"), "victim\n", { mode: 0o600 });
      symlinkSync(stage.outside, link);
      const before = [fingerprint(join(stage.outside, "file")), lstatSync(stage.outside).mode];
      await swapping(folder, link, async () => {
        for (let round = 0; round < rounds; round += 1) {
          await stage.call("tactical", "fs.chmod", { path: join(stage.work, "tree"), mode: round % 2 ? "0777" : "0755", recursive: true });
          await stage.call("tactical", "fs.chown", { path: join(stage.work, "tree"), uid: 890 + (round % 2), recursive: true });
        }
      });
      same("what is outside", [fingerprint(join(stage.outside, "file")), lstatSync(stage.outside).mode], before);
    },
  },
  {
    name: "a link to the keys",
    by: "tiers and an admin",
    async run(stage) {
      symlinkSync(keysOf(stage), join(stage.work, "link"));
      await readsNothing(stage, join(stage.work, "link"));
      await stage.call("tactical", "fs.write", { path: join(stage.work, "link"), content: "mine", how: "write" });
    },
  },
  {
    name: "links to links to the folder above the keys",
    by: "tiers and an admin",
    async run(stage) {
      symlinkSync(stage.data, join(stage.work, "a"));
      symlinkSync("a/console", join(stage.work, "b"));
      await readsNothing(stage, join(stage.work, "b/keys"));
      await readsNothing(stage, `${join(stage.work, "b")}/../console/./keys`);
    },
  },
  {
    name: "a link to the keys that the tool for links makes",
    by: "tactical",
    async run(stage) {
      await stage.call("tactical", "fs.link", { path: join(stage.work, "soft"), to: keysOf(stage), kind: "symbolic" });
      await stage.call("tactical", "fs.link", { path: join(stage.work, "hard"), to: keysOf(stage), kind: "hard" });
      demand("a hard link to the keys was made", !existsSync(join(stage.work, "hard")));
      await readsNothing(stage, join(stage.work, "soft"));
    },
  },
  {
    name: "a hard link to a file outside of the granted folder",
    by: "tactical",
    async run(stage) {
      const victim = join(stage.outside, "file");
      writeFileSync(victim, `${canary}\n`, { mode: 0o600 });
      linkSync(victim, join(stage.work, "twin"));
      const before = fingerprint(victim);
      const path = join(stage.work, "twin");
      await stage.call("tactical", "fs.write", { path, content: "mine\n", how: "write" });
      await stage.call("tactical", "fs.write", { path, content: "mine\n", how: "write", break_links: true, mode: "0666" });
      await stage.call("tactical", "fs.chmod", { path, mode: "0666" });
      await stage.call("tactical", "fs.chown", { path, uid: 890 });
      await stage.call("tactical", "fs.edit", { path, edits: [{ old: "canary", new: "mine" }] });
      same("the file", fingerprint(victim), before);
      await readsNothing(stage, path, ["tactical", "strategic"]);
    },
  },
  {
    name: "hard links in a tree that is chmodded, chowned, copied and searched as a whole",
    by: "tactical",
    async run(stage) {
      const victim = join(stage.outside, "file");
      writeFileSync(victim, `${canary}\n`, { mode: 0o600 });
      mkdirSync(join(stage.work, "tree"));
      linkSync(victim, join(stage.work, "tree/twin"));
      const before = fingerprint(victim);
      const path = join(stage.work, "tree");
      await stage.call("tactical", "fs.chmod", { path, mode: "0777", recursive: true });
      await stage.call("tactical", "fs.chown", { path, uid: 890, recursive: true });
      same("the file", fingerprint(victim), before);
    },
  },
  ...(
    [
      ["/proc/self/root", (stage: Stage) => `/proc/self/root${keysOf(stage)}`],
      ["/proc/PID/root of the broker", (stage: Stage) => `/proc/${stage.broker_pid}/root${keysOf(stage)}`],
      ["/proc/PID/cwd of the broker", (stage: Stage) => `/proc/${stage.broker_pid}/cwd/../../../../../../../../..${keysOf(stage)}`],
      ["/proc/thread-self/root", (stage: Stage) => `/proc/thread-self/root${keysOf(stage)}`],
      ["dots and double slashes", (stage: Stage) => `//${stage.work}/.././/..//work/../console/./keys`],
      ["dots above the root", (stage: Stage) => `/../../..${keysOf(stage)}`],
      ["the folder's name with a slash at the end", (stage: Stage) => `${keysOf(stage)}/`],
      ["a final dot", (stage: Stage) => `${keysOf(stage)}/.`],
      ["upper case", (stage: Stage) => keysOf(stage).replace("console", "CONSOLE")],
      ["a zero byte behind an allowed name", (stage: Stage) => `${join(stage.work, "x")}\0/../../console/keys`],
      ["full-width letters (NFKC)", (stage: Stage) => keysOf(stage).replace("console", "ｃonsole")],
      ["an overlong dot (UTF-8)", (stage: Stage) => `${stage.work}/\u002e\u002e/\u002e\u002e/console/keys`],
      ["percent signs", (stage: Stage) => keysOf(stage).replace("console", "%63onsole")],
      ["a file URL", (stage: Stage) => `file://${keysOf(stage)}`],
    ] as const
  ).map(
    ([name, pathOf]): Attempt => ({
      name: `the keys by ${name}`,
      by: "tiers and an admin",
      async run(stage) {
        await readsNothing(stage, pathOf(stage));
        for (const who of ["tactical", admin] as const)
          await stage.call(who, "fs.write", { path: pathOf(stage), content: "mine", how: "write" });
      },
    }),
  ),
  {
    name: "the broker's own descriptors, by /proc/self/fd and /dev/fd",
    by: "tiers and an admin",
    async run(stage) {
      for (let fd = 3; fd < 40; fd += 1)
        for (const folder of ["/proc/self/fd", "/dev/fd", `/proc/${stage.broker_pid}/fd`]) {
          const answer = await stage.call(admin, "fs.read", { path: `${folder}/${fd}` });
          demand(`${folder}/${fd} was read`, answer.status !== "done");
          if (fd < 12) await stage.call("tactical", "fs.write", { path: `${folder}/${fd}`, content: "\0".repeat(4096), how: "write" });
        }
    },
  },
  {
    name: "the memory and environment of the broker",
    by: "an admin",
    async run(stage) {
      for (const file of ["mem", "environ", "maps", "auxv", "map_files", "task/1/../environ"])
        for (const pid of ["self", String(stage.broker_pid), "1"]) {
          const answer = await stage.call(admin, "fs.read", { path: `/proc/${pid}/${file}` });
          demand(`/proc/${pid}/${file} was read`, answer.status !== "done");
        }
    },
  },
  {
    name: "the record and the grants in the broker's own folder",
    by: "an admin",
    async run(stage) {
      for (const name of ["audit.db", "audit.db-wal", "broker.db", "planted", "images", "new"]) {
        const path = join(stage.data, "broker", name);
        const before = readdirSync(join(stage.data, "broker"));
        for (const [tool, args] of [
          ["fs.write", { path, content: "mine", how: "write" }],
          ["fs.remove", { path, recursive: true }],
          ["fs.move", { from: path, to: join(stage.work, name) }],
          ["fs.chmod", { path, mode: "0666" }],
          ["fs.copy", { from: "/etc/passwd", to: path, replace: true }],
        ] as const) {
          const answer = await stage.call(admin, tool, args);
          demand(`${tool} of ${path} ended as ${answer.status}`, !["done", "waiting"].includes(answer.status));
        }
        await readsNothing(stage, path);
        same("the names in it", readdirSync(join(stage.data, "broker")), before);
      }
    },
  },
  {
    name: "the folders above what is protected, as a whole",
    by: "an admin and an operator",
    async run(stage) {
      const before = readdirSync(stage.data).sort();
      for (const who of [admin, operator])
        for (const [tool, args] of [
          ["fs.remove", { path: stage.data, recursive: true }],
          ["fs.move", { from: stage.data, to: `${stage.data}-moved` }],
          ["fs.copy", { from: stage.data, to: join(stage.work, "all") }],
          ["fs.chmod", { path: stage.data, mode: "0777", recursive: true }],
          ["fs.chown", { path: stage.data, uid: 890, recursive: true }],
          ["fs.move", { from: join(stage.data, "memory"), to: join(stage.work, "memory") }],
          ["fs.remove", { path: join(stage.data, "console"), recursive: true }],
        ] as const) {
          const answer = await stage.call(who, tool, args);
          demand(`${tool} ended as ${answer.status}`, answer.status !== "done" && answer.status !== "waiting");
        }
      same("the folders", readdirSync(stage.data).sort(), before);
      demandNoLeak("fs.search", await stage.call(admin, "fs.search", { path: stage.data, pattern: "canary" }));
    },
  },
  {
    name: "a bind mount of the broker's folder in the granted folder",
    by: "tiers and an admin",
    async run(stage) {
      const at = join(stage.work, "alias");
      mkdirSync(at);
      bind(join(stage.data, "broker"), at);
      try {
        await readsNothing(stage, join(at, "planted"));
        demandNoLeak("fs.search", await stage.call("strategic", "fs.search", { path: stage.work, pattern: "canary" }));
        await stage.call("tactical", "fs.copy", { from: stage.work, to: `${stage.work}-copy` });
        demand("it was copied", !existsSync(`${stage.work}-copy/alias/planted`));
        await stage.call("tactical", "fs.chmod", { path: stage.work, mode: "0777", recursive: true });
        await stage.call("tactical", "fs.remove", { path: stage.work, recursive: true });
        await stage.call("tactical", "fs.write", { path: join(at, "new"), content: "planted", how: "write" });
        demand("a file was planted", !existsSync(join(at, "new")));
      } finally {
        sys.mount.unmount(at, ["detach"]);
      }
    },
  },
  {
    name: "a bind mount of the keys' folder in the granted folder",
    by: "tiers and an admin",
    async run(stage) {
      const at = join(stage.work, "alias");
      mkdirSync(at);
      bind(join(stage.data, "console"), at);
      try {
        await readsNothing(stage, join(at, "keys"));
        demandNoLeak("fs.search", await stage.call("strategic", "fs.search", { path: stage.work, pattern: "canary" }));
        await stage.call("tactical", "fs.copy", { from: stage.work, to: `${stage.work}-copy` });
        demand("it was copied", !existsSync(`${stage.work}-copy/alias/keys`));
        await stage.call("tactical", "fs.chmod", { path: stage.work, mode: "0777", recursive: true });
        await stage.call("tactical", "fs.write", { path: join(at, "keys"), content: "mine", how: "write" });
        await stage.call("tactical", "fs.remove", { path: join(at, "keys") });
      } finally {
        sys.mount.unmount(at, ["detach"]);
      }
    },
  },
  {
    name: "mounting the keys' folder over the granted one, and something over the keys",
    by: "tactical and an admin",
    async run(stage) {
      const before = readFileSync("/proc/self/mountinfo", "utf8");
      mkdirSync(join(stage.work, "at"));
      for (const who of ["tactical", admin] as const) {
        await stage.call(who, "fs.mount", { target: join(stage.work, "at"), type: "bind", source: join(stage.data, "console") });
        await stage.call(who, "fs.mount", { target: join(stage.work, "at"), type: "bind", source: join(stage.data, "broker") });
        await stage.call(who, "fs.mount", { target: join(stage.data, "console"), type: "tmpfs", size_bytes: 1_048_576 });
        await stage.call(who, "fs.mount", { target: "/usr", type: "tmpfs", size_bytes: 1_048_576 });
      }
      same("the mounts", readFileSync("/proc/self/mountinfo", "utf8"), before);
    },
  },
  {
    name: "the setuid bit, by every tool that sets a mode",
    by: "tactical and an admin",
    async run(stage) {
      const path = join(stage.work, "tool");
      writeFileSync(path, "#!/bin/true\n", { mode: 0o755 });
      for (const who of ["tactical", admin] as const) {
        for (const mode of ["4755", "2755", "6755", "7777"]) {
          await stage.call(who, "fs.chmod", { path, mode, allow_setuid: true });
          await stage.call(who, "fs.chmod", { path, mode });
          await stage.call(who, "fs.write", { path, content: "#!/bin/true\n", how: "write", mode, allow_setuid: true });
          await stage.call(who, "fs.write", { path: `${path}-new`, content: "#!/bin/true\n", how: "write", mode, allow_setuid: true });
          await stage.call(who, "fs.chmod", { path: stage.work, mode, allow_setuid: true, recursive: true });
        }
      }
      for (const name of readdirSync(stage.work)) demand(`${name} has the bit`, (lstatSync(join(stage.work, name)).mode & 0o6000) === 0);
    },
  },
  {
    name: "a second setuid file, by copying one alone and in a tree",
    by: "tactical and an admin",
    async run(stage) {
      mkdirSync(join(stage.work, "tree"));
      writeFileSync(join(stage.work, "tree/su"), "#!/bin/true\n");
      chmodSync(join(stage.work, "tree/su"), 0o4755);
      for (const [index, who] of (["tactical", admin] as const).entries()) {
        await stage.call(who, "fs.copy", { from: join(stage.work, "tree/su"), to: join(stage.work, `su-${index}`) });
        await stage.call(who, "fs.copy", { from: join(stage.work, "tree"), to: join(stage.work, `tree-${index}`) });
        await stage.call(who, "fs.link", { path: join(stage.work, `hard-${index}`), to: join(stage.work, "tree/su"), kind: "hard" });
      }
      const found = Bun.spawnSync(["find", stage.work, "-perm", "/6000"]).stdout.toString().trim().split("\n");
      same("files with the bit", found, [join(stage.work, "tree/su")]);
      same("names of it", lstatSync(join(stage.work, "tree/su")).nlink, 1);
    },
  },
  {
    name: "a disk by its device node in the granted folder",
    by: "tiers and an admin",
    async run(stage) {
      const at = join(stage.work, "tree");
      mkdirSync(at);
      Bun.spawnSync(["mknod", join(at, "zero"), "c", "1", "5"]);
      Bun.spawnSync(["mknod", join(at, "kmsg"), "c", "1", "11"]);
      for (const who of ["tactical", "strategic", admin] as const)
        for (const tool of ["fs.read", "fs.checksum", "fs.search"]) {
          const answer = await stage.call(who, tool, { path: join(at, "zero"), ...(tool === "fs.search" ? { pattern: "x" } : {}) });
          demand(`${tool} of a device ended as ${answer.status}`, answer.status !== "done");
        }
      await stage.call("tactical", "fs.write", { path: join(at, "zero"), content: "mine", how: "write" });
      demand("the node was replaced", lstatSync(join(at, "zero")).isCharacterDevice());
      await stage.call("tactical", "fs.copy", { from: join(at, "zero"), to: join(stage.work, "copied") });
      await stage.call("tactical", "fs.copy", { from: at, to: join(stage.work, "copies") });
      const found = Bun.spawnSync(["find", stage.work, "-type", "c"]).stdout.toString().trim().split("\n").sort();
      same("device nodes", found, [join(at, "kmsg"), join(at, "zero")]);
    },
  },
  {
    name: "a pipe that never answers, in a tree that is searched and copied",
    by: "tactical",
    async run(stage) {
      Bun.spawnSync(["mkfifo", join(stage.work, "pipe")]);
      writeFileSync(join(stage.work, "file"), "text\n");
      await stage.call("tactical", "fs.search", { path: stage.work, pattern: "text" });
      await stage.call("tactical", "fs.find", { path: stage.work });
      await stage.call("tactical", "fs.usage", { path: stage.work });
      await stage.call("tactical", "fs.read", { path: join(stage.work, "pipe") });
      await stage.call("tactical", "fs.checksum", { path: join(stage.work, "pipe") });
    },
  },
  {
    name: "settings of the kernel by its files",
    by: "tiers and an admin",
    async run(stage) {
      const files = [
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sys/vm/drop_caches",
        "/proc/sysrq-trigger",
        "/sys/power/state",
        "/proc/self/oom_score_adj",
      ];
      const before = readFileSync(files[0] ?? "", "utf8");
      for (const path of files)
        for (const who of ["tactical", "strategic", admin] as const) {
          const answer = await stage.call(who, "fs.write", { path, content: "|/bin/true", how: "write" });
          demand(`${path} ended as ${answer.status}`, answer.status !== "done" && answer.status !== "waiting");
        }
      same("the core pattern", readFileSync(files[0] ?? "", "utf8"), before);
    },
  },
  {
    name: "settings that are not on sys.sysctl's list",
    by: "tiers and an admin",
    async run(stage) {
      const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      for (const name of [
        "kernel.core_pattern",
        "kernel/core_pattern",
        "../../etc/passwd",
        "kernel.modprobe",
        "vm.swappiness/../../kernel/core_pattern",
      ])
        for (const who of ["tactical", "strategic", admin] as const) {
          const answer = await stage.wrong(who, "sys.sysctl", { name, value: "|/bin/true" });
          demand(`${name} ended as ${answer.status}`, answer.status !== "done" && answer.status !== "waiting");
        }
      same("the core pattern", readFileSync("/proc/sys/kernel/core_pattern", "utf8"), before);
    },
  },
  {
    name: "the trash of what others removed",
    by: "tiers and an admin",
    async run(stage) {
      writeFileSync(join(stage.outside, "private"), `${canary}\n`, { mode: 0o600 });
      const { ino } = lstatSync(join(stage.outside, "private"));
      await stage.must(admin, "fs.remove", { path: join(stage.outside, "private") });
      const found = Bun.spawnSync(["find", stage.data, "/.aios-trash", "-inum", String(ino)]);
      const kept = found.stdout
        .toString()
        .split("\n")
        .filter((path) => path !== "");
      demand("it was kept nowhere", kept.length > 0);
      for (const path of kept) await readsNothing(stage, path);
    },
  },
  {
    name: "an undo that goes back into a folder which was swapped for a link",
    by: "tactical",
    async run(stage) {
      const folder = join(stage.work, "folder");
      mkdirSync(folder);
      writeFileSync(join(folder, "file"), "old\n");
      const { call } = await stage.must("tactical", "fs.write", { path: join(folder, "file"), content: "new\n", how: "write" });
      renameSync(folder, `${folder}-away`);
      writeFileSync(join(stage.outside, "file"), "victim\n");
      const before = fingerprint(join(stage.outside, "file"));
      symlinkSync(stage.outside, folder);
      await stage.refusal("tactical", "undo/run", { target: { call }, reason: { text: "back" } });
      same("the file outside", fingerprint(join(stage.outside, "file")), before);
    },
  },
];
