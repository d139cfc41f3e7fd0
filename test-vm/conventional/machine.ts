/**
 * The conventional root in QEMU: the same machine, the same emulation and the same kernel that ours gets under direct
 * boot, its root a disk with ext4. Its network is QEMU's own, with one way in: from a loopback port to its sshd.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, keyOf } from "../../tooling/cache.ts";
import { run } from "../../tooling/run.ts";
import { accelerator } from "../machine/accelerator.ts";
import { machineArguments } from "../machine/arguments.ts";
import { makeBlankDisk } from "../machine/disks.ts";
import { tscWords } from "../machine/tsc.ts";
import { atEnd, dyingWithUs, endProcess, removeFolder } from "../owned.ts";
import { checkout, needBuilt, newFolder } from "../places.ts";
import { tailOf, waitFor } from "../wait.ts";
import { conventionalRoot } from "./root.ts";

const disk_mib = 1024;
/** sshd's greeting (RFC 4253, 4.2). */
const greeting = "SSH-2.0-";
const limit_ms = 240_000;
const attempts_max = 3;

export interface ConventionalMachine {
  /** Waits until sshd greets. */
  ready(): Promise<void>;
  /** MemTotal − MemAvailable ten seconds after everything was started, as its memory-report.service says. */
  usedBytes(): Promise<number>;
  kill(): Promise<void>;
}

async function rootDisk(): Promise<string> {
  const root = await conventionalRoot();
  const entry = await cached("conventional-disk", keyOf({ values: [root, String(disk_mib)] }), async (folder) => {
    const disk = join(folder, "disk.raw");
    makeBlankDisk(disk, disk_mib);
    await run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk]);
  });
  return join(entry, "disk.raw");
}

/** A port of the loopback address that nobody listens on. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Whether what listens on `port` greets as sshd does, within the time that is given. */
async function greets(port: number, within_ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), within_ms);
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => resolve(bytes.toString().startsWith(greeting)),
      close: () => resolve(false),
      error: () => resolve(false),
    },
  });
  const answer = await promise;
  clearTimeout(timer);
  socket.end();
  return answer;
}

/** Returns as soon as QEMU runs. */
export async function startConventionalMachine(options: {
  readonly cpus: number;
  readonly memory_mib: number;
}): Promise<ConventionalMachine> {
  const disk = await rootDisk();
  const folder = newFolder("conventional-machine");
  const sockets = newFolder("aios", tmpdir());
  const removeFolders = atEnd(() => {
    removeFolder(folder);
    removeFolder(sockets);
  });
  const serial_log = join(folder, "serial.log");
  writeFileSync(serial_log, "");
  const port = freePort();
  const words = readFileSync(join(checkout, "image/cmdline.txt"), "utf8").trim().split(/\s+/);
  const append = [...words.filter((word) => !/^(root|rootfstype)=|^ro$/.test(word)), "root=/dev/vda", "rw"].join(" ");
  const emulation = await accelerator();
  const argv = machineArguments({
    accelerator: emulation,
    kernel_words: await tscWords(emulation),
    ...options,
    serial_log,
    qmp_socket: join(sockets, "qmp"),
    console_chardev: join(sockets, "console-port"),
    test_chardev: join(sockets, "test-port"),
    config: null,
    nic: { forward: `tcp:127.0.0.1:${port}-:22` },
    rtc: "base=utc",
    direct: { kernel: needBuilt("kernel"), initrd: null, root: disk, append, discard_writes: true },
    disk: null,
    firmware_variables: "",
    more: [],
  });
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: "ignore", stderr: Bun.file(join(folder, "qemu.err")) });
  const end = atEnd(() => endProcess(child));
  const serial = (): string => readFileSync(serial_log, "latin1");
  const explain = (): string => `The end of the serial log:\n${tailOf(serial())}\n${readFileSync(join(folder, "qemu.err"), "utf8")}`;
  return {
    async ready() {
      await waitFor("sshd to run", () => serial().includes("conventional: sshd runs"), { limit_ms, every_ms: 25, explain });
      // every attempt makes it start a process: few at a time
      let waiting = 0;
      let greeted = false;
      const attempt = async (): Promise<void> => {
        waiting += 1;
        greeted = (await greets(port, 10_000)) || greeted;
        waiting -= 1;
      };
      const ask = (): boolean => {
        if (!greeted && waiting < attempts_max) void attempt();
        return greeted;
      };
      await waitFor("sshd to greet", ask, { limit_ms, every_ms: 250, explain });
    },
    async usedBytes() {
      // not at the beginning of a line: a login prompt may stand there
      const value = (name: string): number => 1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(serial())?.[1]);
      const used = (): number | false => value("MemTotal") - value("MemAvailable") || false;
      return await waitFor("its memory report", used, { limit_ms, every_ms: 200, explain });
    },
    async kill() {
      end();
      await child.exited;
      removeFolders();
    },
  };
}
