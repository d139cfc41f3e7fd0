/**
 * `make run` and `make container`: boots what was built, waits for the console, and leaves the user at the live view.
 * Without a terminal it shows status, services and boot timeline once. Either way the system is powered off at the end.
 */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { say, step } from "../tooling/progress.ts";
import { type Container, startContainer } from "./container.ts";
import { keepDisk } from "./machine/kept-disk.ts";
import { needBuilt, run_folder } from "./places.ts";
import { startMachine } from "./qemu.ts";

/** What is needed of either kind of system. */
interface Booted {
  readonly console_socket: string;
  /** All services are up, or known not to come. */
  ready(): Promise<void>;
  poweroff(): Promise<unknown>;
  kill(): Promise<void>;
}

const socket = join(run_folder, "console.sock");

async function machine(fresh: boolean): Promise<Booted> {
  const disk = join(run_folder, "disk.raw");
  if (fresh) rmSync(disk, { force: true });
  await step("the disk of this machine", () => keepDisk(needBuilt("disk_image"), disk));
  const booted = await step("booting in QEMU", () => startMachine({ boot: "disk", disk, listen: socket }));
  try {
    await step("waiting for the console", () => booted.ready({ what: "console" }));
  } catch (error) {
    await booted.kill();
    throw error;
  }
  return booted;
}

async function container(fresh: boolean): Promise<Booted> {
  const data = join(run_folder, "data");
  if (fresh) rmSync(data, { recursive: true, force: true });
  const booted: Container = await startContainer({ data, listen: socket });
  try {
    await step("waiting for the console", () => booted.ready("console"));
  } catch (error) {
    await booted.kill();
    throw error;
  }
  return booted;
}

/** Runs the client until it ends. While it runs, Ctrl-C is its own matter. */
async function client(socket_path: string, ...words: string[]): Promise<void> {
  const argv = [needBuilt("client"), "--socket", socket_path, ...words];
  await Bun.spawn(argv, { stdin: "inherit", stdout: "inherit", stderr: "inherit" }).exited;
}

async function main(): Promise<void> {
  const kind = process.argv[2] ?? "machine";
  const fresh = process.argv.includes("--fresh");
  mkdirSync(run_folder, { recursive: true });
  const booted = kind === "container" ? await container(fresh) : await machine(fresh);
  try {
    if (process.stdout.isTTY) await client(booted.console_socket, "watch");
    else {
      await step("waiting for all services", () => booted.ready());
      for (const word of ["status", "services", "boot"]) await client(booted.console_socket, word);
    }
    await step("powering off", () => booted.poweroff());
  } finally {
    await booted.kill();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
