/**
 * Test machines in QEMU. `disk` boots the disk image by UEFI, as a user does; `direct` gives QEMU the kernel, the packed
 * root and a data disk, which is quicker and lets the test initrd in. What is started here ends with this process.
 */

import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { startHostLink } from "../console/link/host.ts";
import { askForPoweroff, Console } from "./client.ts";
import { accelerator } from "./machine/accelerator.ts";
import { Agent, type ShellAnswer } from "./machine/agent.ts";
import { firmwareVariablesTemplate, machineArguments } from "./machine/arguments.ts";
import { copyDisk, makeDataDisk } from "./machine/disks.ts";
import { initrd_command, testInitrd } from "./machine/initrd.ts";
import { Qmp } from "./machine/qmp.ts";
import { tscWords } from "./machine/tsc.ts";
import { atEnd, dyingWithUs, endProcess, removeFolder } from "./owned.ts";
import { checkout, needBuilt, newFolder } from "./places.ts";
import { Hopeless, tailOf, waitFor, within } from "./wait.ts";

/** Milliseconds; software emulation on a loaded host is slow, and nothing waits longer than it must. */
export const limits = { ready_ms: 600_000, answer_ms: 120_000, poweroff_ms: 180_000, qemu_start_ms: 60_000 } as const;

export interface MachineOptions {
  readonly boot: "disk" | "direct";
  /** Text of aios.yaml, handed over by fw_cfg. */
  readonly config?: string;
  /** Used as it is and kept. Without it: a fresh copy of the image (disk) or an unformatted data disk (direct). */
  readonly disk?: string;
  /** No disk for data at all (direct). */
  readonly diskless?: boolean;
  readonly memory_mib?: number;
  readonly cpus?: number;
  /** `open`: its network leads out of this host; without it, it ends at QEMU. */
  readonly nic?: boolean | "open";
  /** A process in whose network namespace QEMU runs; the machine then reaches what listens there on loopback, as 10.0.2.2. */
  readonly network_of?: number;
  /** QEMU's -rtc. */
  readonly rtc?: string;
  /** The disk for data has the base of the userland beside them, as the image has (direct). */
  readonly userland?: boolean;
  /** Without it the test initrd is not used (direct): the kernel mounts the root itself. */
  readonly agent?: boolean;
  /** Folder of programs that the test initrd holds, too: seen at /mnt, as in a container (direct). */
  readonly programs?: string;
  /** More of the kernel command line (direct). */
  readonly append?: string;
  /** More arguments for QEMU. */
  readonly more?: readonly string[];
  /** Where the console socket is to be; a place of its own without it. */
  readonly listen?: string;
}

export interface Machine {
  readonly console: Console;
  readonly console_socket: string;
  readonly qmp: Qmp;
  /** The disk of this machine, for a look from outside once it is off. */
  readonly disk: string | null;
  /** For files of the scenario; removed at the end. */
  readonly folder: string;
  /** All that came over the serial line. */
  serial(): string;
  /** Waits for `aios: all ready` (or `console ready`) and for the console to answer. `after` is a length of the serial log. */
  ready(options?: { readonly what?: "all" | "console"; readonly after?: number; readonly limit_ms?: number }): Promise<void>;
  /** Waits for text on the serial line. */
  says(text: string | RegExp, options?: { readonly after?: number; readonly limit_ms?: number }): Promise<void>;
  /** Root access by the test initrd (agent.ts). */
  sh(script: string, limit_ms?: number): Promise<ShellAnswer>;
  /** Pulls the reset line. @returns what to give to `ready` as `after` */
  reset(): Promise<number>;
  /** Tells the harness that the machine went through a reset by itself. */
  wasReset(): void;
  /** Asks the console for a poweroff and waits until QEMU has ended. */
  poweroff(): Promise<void>;
  /** Resolves when QEMU has ended. */
  readonly ended: Promise<void>;
  kill(): Promise<void>;
}

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const folder = newFolder("machine");
  // apart from the folder: a unix socket's path has to be short
  const sockets = newFolder("aios", tmpdir());
  const removeFolders = atEnd(() => {
    removeFolder(folder);
    removeFolder(sockets);
  });
  const disk = await prepareDisk(options, folder);
  const serial_log = join(folder, "serial.log");
  writeFileSync(serial_log, "");
  const config = options.config === undefined ? null : join(folder, "aios.yaml");
  if (config !== null) writeFileSync(config, options.config ?? "");
  const firmware_variables = join(folder, "firmware-variables.fd");
  if (options.boot === "disk") copyFileSync(firmwareVariablesTemplate(), firmware_variables);
  const socket = (name: string): string => join(sockets, name);
  const emulation = await accelerator();
  const argv = machineArguments({
    accelerator: emulation,
    kernel_words: await tscWords(emulation),
    cpus: options.cpus ?? 2,
    memory_mib: options.memory_mib ?? 1024,
    serial_log,
    qmp_socket: socket("qmp"),
    console_chardev: socket("console-port"),
    test_chardev: socket("test-port"),
    config,
    nic: options.nic === false ? "none" : options.nic === "open" || options.network_of !== undefined ? "open" : "shut",
    rtc: options.rtc ?? "base=utc",
    direct: options.boot === "direct" ? await directBoot(options) : null,
    disk,
    firmware_variables,
    more: options.more ?? [],
  });
  const inside = options.network_of === undefined ? [] : ["nsenter", `--net=/proc/${options.network_of}/ns/net`, "--"];
  const child = Bun.spawn(dyingWithUs([...inside, ...argv]), {
    stdin: "ignore",
    stdout: Bun.file(join(folder, "qemu.log")),
    stderr: Bun.file(join(folder, "qemu.err")),
  });
  const end = atEnd(() => endProcess(child));
  const serial = (): string => readFileSync(serial_log, "latin1");
  const explain = (): string => `The end of the serial log:\n${tailOf(serial())}\n${qemuErrors(folder)}`;

  const leave = async (): Promise<void> => {
    end();
    await child.exited;
    removeFolders();
  };
  try {
    const qmp = await waitFor("QEMU's control socket", () => alive(child, folder) && Qmp.connect(socket("qmp")), {
      limit_ms: limits.qemu_start_ms,
    });
    const agent = await Agent.connect(socket("test-port"));
    const console_socket = options.listen ?? socket("console");
    const link = await startHostLink({ chardev_path: socket("console-port"), listen_path: console_socket });
    const console_ = new Console(console_socket);
    const closeLink = atEnd(() => link.close());
    const ended = child.exited.then(() => {
      end();
      qmp.close();
      closeLink();
    });

    const says: Machine["says"] = async (text, { after = 0, limit_ms = limits.ready_ms } = {}) => {
      const found = (): boolean => {
        alive(child, folder);
        return typeof text === "string" ? serial().includes(text, after) : text.test(serial().slice(after));
      };
      await waitFor(`"${text}" on the serial line`, found, { limit_ms, every_ms: 25, explain });
    };

    return {
      says,
      console: console_,
      console_socket,
      qmp,
      disk,
      folder,
      serial,
      ended,
      async ready({ what = "all", after = 0, limit_ms = limits.ready_ms } = {}) {
        await says(`aios: ${what} ready`, { after, limit_ms });
        await waitFor("the console", () => console_.call("status", { limit_ms: 15_000 }), {
          limit_ms: limits.answer_ms,
          every_ms: 100,
          explain,
        });
      },
      sh: (script, limit_ms) => agent.sh(script, limit_ms),
      wasReset: () => agent.forget(),
      async reset() {
        const after = serial().length;
        agent.forget();
        await qmp.execute("system_reset");
        return after;
      },
      async poweroff() {
        await askForPoweroff(console_);
        await within("the machine to power off", limits.poweroff_ms, ended, explain);
      },
      kill: leave,
    };
  } catch (error) {
    const shown = explain();
    await leave();
    throw new Error(`starting a machine failed: ${error instanceof Error ? error.message : String(error)}\n${shown}`);
  }
}

async function prepareDisk(options: MachineOptions, folder: string): Promise<string | null> {
  if (options.disk !== undefined) return options.disk;
  if (options.diskless === true) return null;
  const path = join(folder, "disk.raw");
  if (options.boot === "disk") await copyDisk(needBuilt("disk_image"), path);
  else if (options.userland === true) await makeDataDisk(path, 640, needBuilt("userland"));
  else await makeDataDisk(path);
  return path;
}

/** The image's own kernel command line, with the root where direct boot has it. */
async function directBoot(options: MachineOptions): Promise<{ kernel: string; initrd: string | null; root: string; append: string }> {
  const words = readFileSync(join(checkout, "image/cmdline.txt"), "utf8").trim().split(/\s+/);
  const append = [...words.filter((word) => !word.startsWith("root=")), "root=/dev/vda", options.append ?? ""];
  const initrd = options.agent === false ? null : await testInitrd(options.programs);
  if (initrd !== null) append.push(initrd_command.word, initrd_command.tail);
  return { kernel: needBuilt("kernel"), initrd, root: needBuilt("root_image"), append: append.join(" ") };
}

function qemuErrors(folder: string): string {
  const path = join(folder, "qemu.err");
  const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return text === "" ? "" : `What QEMU said:\n${text}`;
}

function alive(child: Subprocess, folder: string): true {
  if (child.exitCode === null && child.signalCode === null) return true;
  throw new Hopeless(
    `waiting for the machine failed: QEMU has ended with status ${child.signalCode ?? child.exitCode}\n${qemuErrors(folder)}`,
  );
}
