/** Power: sync, restart, power off, the next kernel. */

import { closeSync, openSync } from "node:fs";
import type { Libc } from "./libc.ts";

export type RebootCommand = "restart" | "power-off" | "halt" | "kexec" | "cad-off";

export interface PowerCalls {
  /** sync(2); may block for as long as a device does. */
  sync(): void;
  /** The same on a thread of its own: ends when the devices have answered, which may be never. */
  syncAside(): Promise<void>;
  /** reboot(2). `cad-off` makes Ctrl-Alt-Del send SIGINT to PID 1 instead of resetting. */
  reboot(command: RebootCommand): void;
  /** kexec_file_load(2): loads the kernel that `reboot("kexec")` then starts. */
  kexecLoad(kernel_path: string, initrd_path: string | null, command_line: string): void;
}

/** linux/reboot.h, as libc's reboot(3) takes them: it adds the magic numbers. */
const commands: Readonly<Record<RebootCommand, number>> = {
  restart: 0x01234567,
  "power-off": 0x4321fedc,
  halt: 0xcdef0123,
  kexec: 0x45584543,
  "cad-off": 0,
};

/** asm/unistd.h */
const kexec_file_load_number = process.arch === "arm64" ? 294 : 320;
const KEXEC_FILE_NO_INITRAMFS = 4;

export function powerCalls(libc: Libc): PowerCalls {
  return {
    sync() {
      libc.attempt("sync", []); // returns nothing and cannot fail
    },
    syncAside: () => libc.aside("sync"),
    reboot(command) {
      libc.call("reboot", [commands[command]], `reboot "${command}"`);
    },
    kexecLoad(kernel_path, initrd_path, command_line) {
      const kernel = openSync(kernel_path, "r");
      const initrd = initrd_path === null ? null : openSync(initrd_path, "r");
      try {
        const line = Buffer.from(`${command_line}\0`);
        const flags = initrd === null ? KEXEC_FILE_NO_INITRAMFS : 0;
        libc.call("syscall", [kexec_file_load_number, kernel, initrd ?? -1, line.length, line, flags], `kexec_file_load "${kernel_path}"`);
      } finally {
        closeSync(kernel);
        if (initrd !== null) closeSync(initrd);
      }
    },
  };
}
