/**
 * `make run` and `make container`: boots what was built, waits for the console, and leaves the user at the live view.
 * Without a terminal it shows status, services and boot timeline once. Either way the system is powered off at the end.
 * With `--check` it only says whether it could: make asks before it builds.
 */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseConfig } from "../init/boot/config.ts";
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

interface Wanted {
  readonly kind: "machine" | "container";
  /** Forgets the data of the last run. */
  readonly fresh: boolean;
  /** The machine's network leads out of this host. */
  readonly net: boolean;
  /** Text of aios.yaml. */
  readonly config: string | undefined;
  readonly check: boolean;
}

/** @throws when it cannot be done */
function readWanted(argv: string[]): Wanted {
  const flag = { type: "boolean", default: false } as const;
  const options = { fresh: flag, net: flag, check: flag, config: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const kind = positionals[0] === "container" ? "container" : "machine";
  if (kind === "container" && values.net)
    throw new Error("giving the container a network failed: it has none but its own loopback; use NET=1 with make run");
  return { ...values, kind, config: values.config === undefined ? undefined : readConfig(values.config) };
}

/** @throws with line, key and reason when it is wrong */
function readConfig(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new Error(`reading the config "${path}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { problems } = parseConfig(bytes);
  if (problems.length > 0) throw new Error([`reading the config "${path}" failed:`, ...problems].join("\n  "));
  return bytes.toString();
}

async function machine({ fresh, net, config }: Wanted): Promise<Booted> {
  const disk = join(run_folder, "disk.raw");
  if (fresh) rmSync(disk, { force: true });
  await step("the disk of this machine", () => keepDisk(needBuilt("disk_image"), disk));
  const handed = { ...(net && { nic: "open" as const }), ...(config !== undefined && { config }) };
  const booted = await step("booting in QEMU", () => startMachine({ boot: "disk", disk, listen: socket, ...handed }));
  try {
    await step(
      "waiting for the console",
      () => booted.ready({ what: "console" }),
      () => lastLine(booted.serial()),
    );
  } catch (error) {
    await booted.kill();
    throw error;
  }
  return booted;
}

async function container({ fresh, config }: Wanted): Promise<Booted> {
  const data = join(run_folder, "data");
  if (fresh) rmSync(data, { recursive: true, force: true });
  const booted: Container = await startContainer({ data, listen: socket, ...(config !== undefined && { config }) });
  try {
    await step(
      "waiting for the console",
      () => booted.ready("console"),
      () => lastLine(booted.log()),
    );
  } catch (error) {
    await booted.kill();
    throw error;
  }
  return booted;
}

/** The end of what the system has written so far, without what only a terminal understands. */
function lastLine(log: string): string {
  const lines = Bun.stripANSI(log.slice(-4096)).split(/[\r\n]+/);
  return (lines.findLast((line) => line.trim() !== "") ?? "").replace(/\p{Cc}/gu, "").slice(0, 120);
}

/** Runs the client until it ends. While it runs, Ctrl-C is its own matter. */
async function client(socket_path: string, ...words: string[]): Promise<void> {
  const argv = [needBuilt("client"), "--socket", socket_path, ...words];
  await Bun.spawn(argv, { stdin: "inherit", stdout: "inherit", stderr: "inherit" }).exited;
}

async function main(): Promise<void> {
  const wanted = readWanted(process.argv.slice(2));
  if (wanted.check) return;
  mkdirSync(run_folder, { recursive: true });
  const booted = wanted.kind === "container" ? await container(wanted) : await machine(wanted);
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
