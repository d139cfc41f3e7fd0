/** A TPM 2.0 in software (swtpm(8)) for a test machine. */

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { atEnd, dyingWithUs, endProcess } from "../owned.ts";
import { waitFor } from "../wait.ts";

export interface Tpm {
  /** What QEMU is told of it. */
  readonly arguments: readonly string[];
  end(): void;
}

/** @param folder for its state. @param socket_folder a short path: QEMU reaches it by a unix socket */
export async function startTpm(folder: string, socket_folder: string): Promise<Tpm> {
  mkdirSync(folder, { recursive: true });
  const socket = join(socket_folder, "tpm");
  const argv = ["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${folder}`, "--ctrl", `type=unixio,path=${socket}`];
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  const end = atEnd(() => endProcess(child));
  await waitFor("the TPM", () => existsSync(socket) || (child.exitCode !== null && Promise.reject(new Error("swtpm has ended"))), {
    limit_ms: 60_000,
    every_ms: 20,
  });
  const chardev = ["-chardev", `socket,id=tpm-socket,path=${socket}`];
  return { arguments: [...chardev, "-tpmdev", "emulator,id=tpm0,chardev=tpm-socket", "-device", "tpm-crb,tpmdev=tpm0"], end };
}
