/** Container mode: the root of the image with the same PID 1, in namespaces of this machine (namespaces.ts). */

import { chmodSync, existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { console_socket } from "../contracts/paths.ts";
import { askForPoweroff, Console } from "./client.ts";
import { enterNamespaces, type Namespaces } from "./namespaces.ts";
import { atEnd } from "./owned.ts";
import { built, needBuilt } from "./places.ts";
import { tailOf, waitFor, within } from "./wait.ts";

export interface ContainerOptions {
  /** Folder that becomes /var/lib/aios; kept. Without it the container has no data partition. */
  readonly data?: string;
  /** Text of aios.yaml. */
  readonly config?: string;
  /** Folder of test programs that is seen at /mnt, read-only. */
  readonly programs?: string;
  /** A root folder or erofs image other than the built one. */
  readonly root?: string;
  /** Where a link to the console socket is to be while the container runs. */
  readonly listen?: string;
}

export interface Container extends Namespaces {
  readonly console: Console;
  readonly console_socket: string;
  /** Waits until the sentinel `aios: all ready` (or `aios: console ready`) was written. */
  ready(what?: "all" | "console", limit_ms?: number): Promise<void>;
  /** Asks for a poweroff and waits for the end. @returns the signal or status with which PID 1 ended: SIGINT for poweroff */
  poweroff(limit_ms?: number): Promise<string>;
}

/** Starts a container; returns as soon as PID 1 runs. */
export async function startContainer(options: ContainerOptions = {}): Promise<Container> {
  if (options.data !== undefined) {
    mkdirSync(options.data, { recursive: true });
    chmodSync(options.data, 0o755); // as the root of a new file system is
  }
  const inside = await enterNamespaces({
    name: "container",
    root: options.root ?? needBuilt("root_folder"),
    inits: ["/sbin/init", "aios"],
    config: (folder) => configFile(folder, options.config),
    ...(options.data !== undefined && { data: options.data }),
    ...(options.programs !== undefined && { programs: options.programs }),
    ...(existsSync(built.userland) && { userland: built.userland }),
  });
  const { log, ended } = inside;
  const explain = (): string => `What PID 1 wrote:\n${tailOf(log())}`;
  const socket = `${inside.root}${console_socket}`;
  const console_ = new Console(socket);
  if (options.listen !== undefined) {
    const unlink = linkTo(socket, options.listen);
    void ended.then(unlink);
  }

  return {
    ...inside,
    console: console_,
    console_socket: socket,
    async ready(what = "all", limit_ms = 120_000) {
      await waitFor(`"aios: ${what} ready"`, () => log().includes(`aios: ${what} ready`), { limit_ms, every_ms: 5, explain });
      await waitFor("the console socket", () => existsSync(socket), { limit_ms: 30_000, every_ms: 5, explain });
    },
    async poweroff(limit_ms = 120_000) {
      await askForPoweroff(console_);
      return await within("the poweroff", limit_ms, ended, explain);
    },
  };
}

/** @returns removes the link, unless it has become another's */
function linkTo(socket: string, at: string): () => void {
  rmSync(at, { force: true });
  symlinkSync(socket, at);
  return atEnd(() => {
    try {
      if (readlinkSync(at) === socket) rmSync(at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EINVAL"))) throw error;
    }
  });
}

function configFile(folder: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const path = join(folder, "aios.yaml");
  writeFileSync(path, text);
  return path;
}
