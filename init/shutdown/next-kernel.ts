/**
 * Loads the kernel that the firmware would start next, so that reboot(2) can start it without the firmware. It lies on the
 * ESP, as a unified kernel image: there is one place for a new kernel, and one command line. Loaded before anything is
 * stopped: what cannot be loaded is refused while everything still runs.
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run_dir } from "../../contracts/paths.ts";
import { type BlockDevice, probeBlockDevices, rootDisk, systemPartitions } from "../boot/block.ts";
import { reasonOf } from "../boot/files.ts";
import { lookInside } from "../boot/look-inside.ts";
import type { BootContext } from "../boot/phase.ts";
import { kernelParts } from "./unified-kernel.ts";

/** Where firmware looks that has no boot entry (UEFI specification, 3.5.1.1). */
const unified_kernel = process.arch === "arm64" ? "EFI/BOOT/BOOTAA64.EFI" : "EFI/BOOT/BOOTX64.EFI";
/** The kernel wants files; these are on the tmpfs, for a moment. */
const folder = `${run_dir}/kexec`;
const image_bytes_max = 96 * 1024 * 1024;

/**
 * An initrd without files (cpio, "newc": the trailer alone), for an image that has none. The EFI stub leaves a table that
 * says where the firmware's initrd was; a kernel that is given no other believes it, and finds memory that has long been
 * used for something else (drivers/firmware/efi/efi.c, efi_config_parse_tables).
 */
const no_files = Buffer.from(`070701${"0".repeat(32)}00000001${"0".repeat(48)}0000000b${"0".repeat(8)}TRAILER!!!\0\0\0\0`, "latin1");

/** What it needs of PID 1. */
type KexecContext = Pick<BootContext, "sys" | "mode" | "ownChild">;

/** @returns why it cannot be, or null when `reboot("kexec")` will start it */
export async function loadNextKernel(boot: KexecContext): Promise<string | null> {
  if (boot.mode === "container") return refused("a container runs on the host's kernel");
  try {
    const disk = rootDisk();
    const esp = systemPartitions(await probeBlockDevices(boot), disk)[0];
    if (esp === undefined) return refused(`there is no EFI system partition${disk === null ? "" : ` on "${disk}", the disk of the root`}`);
    await load(boot, esp);
    return null;
  } catch (error) {
    return refused(reasonOf(error));
  }
}

function refused(why: string): string {
  return `kexec is not possible: ${why}; use an ordinary reboot`;
}

/** @throws when it cannot be read, is no unified kernel image, or the running kernel refuses it */
async function load(boot: KexecContext, esp: BlockDevice): Promise<void> {
  const where = `"${unified_kernel}" on "${esp.path}"`;
  const file = await lookInside(boot, esp, { types: ["vfat"], path: unified_kernel, bytes_max: image_bytes_max });
  if (file === null) throw new Error(`there is no ${where}`);
  const kernel_path = join(folder, "kernel");
  const initrd_path = join(folder, "initrd");
  try {
    const { kernel, initrd, command_line } = partsOf(file, where);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(kernel_path, kernel, { mode: 0o600 });
    writeFileSync(initrd_path, initrd ?? no_files, { mode: 0o600 });
    boot.sys.power.kexecLoad(kernel_path, initrd_path, command_line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function partsOf(file: Uint8Array, where: string): ReturnType<typeof kernelParts> {
  try {
    return kernelParts(file);
  } catch (error) {
    throw new Error(`reading ${where} failed: ${reasonOf(error)}`);
  }
}
