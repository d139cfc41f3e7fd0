/** What QEMU is told. The devices are those that the scenarios need; nothing goes out to the network unless it is told `open`. */

import { existsSync } from "node:fs";
import { type Accelerator, acceleratorArguments } from "./accelerator.ts";

export interface Wiring {
  readonly accelerator: Accelerator;
  /** For the kernel's command line, however it is booted (`tsc.ts`). */
  readonly kernel_words: string | null;
  readonly cpus: number;
  readonly memory_mib: number;
  readonly serial_log: string;
  readonly qmp_socket: string;
  readonly console_chardev: string;
  readonly test_chardev: string;
  readonly config: string | null;
  /**
   * `shut`: its network ends at QEMU; with `forward` there is one way in from this host, as hostfwd has it. `open`: it
   * leads to where QEMU itself is: for a QEMU in a network namespace of its own, and for a person who asks for it.
   */
  readonly nic: "none" | "shut" | "open" | { readonly forward: string };
  readonly rtc: string;
  /** Direct boot. Without it the firmware looks for something on `disk`. */
  readonly direct: {
    readonly kernel: string;
    readonly initrd: string | null;
    readonly root: string;
    readonly append: string;
    /** The root may be written to, and is as it was the next time. */
    readonly discard_writes?: boolean;
  } | null;
  /** The whole disk image, or with direct boot the data disk. */
  readonly disk: string | null;
  /** A writable copy of OVMF's variables, for the disk boot. */
  readonly firmware_variables: string;
  readonly more: readonly string[];
}

/** Slots for PCI devices that come and go; a q35 machine's root bus takes none while it runs. */
export const hotplug_slots = ["slot0", "slot1", "slot2", "slot3"] as const;

export function machineArguments(wiring: Wiring): string[] {
  return [
    ...["qemu-system-x86_64", "-name", "aios", "-nodefaults", "-display", "none", "-machine", "q35,smm=off"],
    ...acceleratorArguments(wiring.accelerator),
    ...["-smp", String(wiring.cpus), "-m", String(wiring.memory_mib), "-rtc", wiring.rtc],
    ...["-serial", `file:${wiring.serial_log}`, "-qmp", `unix:${wiring.qmp_socket},server=on,wait=off`],
    ...["-device", "virtio-rng-pci", "-device", "virtio-balloon-pci,id=balloon0", "-device", "qemu-xhci,id=usb"],
    ...["-device", "i6300esb", "-action", "watchdog=reset"],
    ...hotplug_slots.flatMap((id, index) => ["-device", `pcie-root-port,id=${id},chassis=${index + 1},slot=${index + 1}`]),
    ...port("aios.console", wiring.console_chardev, 1),
    ...port("aios.test", wiring.test_chardev, 2),
    ...(wiring.nic === "none" ? [] : network(wiring.nic)),
    ...(wiring.config === null ? [] : ["-fw_cfg", `name=opt/aios/aios.yaml,file=${wiring.config}`]),
    ...(wiring.direct === null ? firmware(wiring.firmware_variables, wiring.kernel_words) : direct(wiring.direct, wiring.kernel_words)),
    ...(wiring.disk === null ? [] : drive("disk0", wiring.disk, "")),
    ...wiring.more,
  ];
}

function port(name: string, socket: string, number: number): string[] {
  const id = `port${number}`;
  const chardev = ["-chardev", `socket,id=${id},path=${socket},server=on,wait=off`];
  const device = ["-device", `virtserialport,bus=serial0.0,nr=${number},chardev=${id},name=${name}`];
  return number === 1 ? ["-device", "virtio-serial-pci,id=serial0", ...chardev, ...device] : [...chardev, ...device];
}

function network(nic: "shut" | "open" | { readonly forward: string }): string[] {
  const way = nic === "open" ? "" : `,restrict=on${nic === "shut" ? "" : `,hostfwd=${nic.forward}`}`;
  return ["-netdev", `user,id=net0${way}`, "-device", "virtio-net-pci,netdev=net0,romfile="];
}

function drive(id: string, path: string, more: "" | ",readonly=on" | ",snapshot=on"): string[] {
  const options = `if=none,id=${id},format=raw,file=${path},discard=unmap${more}`;
  return ["-drive", options, "-device", `virtio-blk-pci,drive=${id},serial=${id}`];
}

function direct(boot: NonNullable<Wiring["direct"]>, words: string | null): string[] {
  const initrd = boot.initrd === null ? [] : ["-initrd", boot.initrd];
  return [
    "-kernel",
    boot.kernel,
    ...initrd,
    "-append",
    // in front: what comes after "--" is for the first program
    words === null ? boot.append : `${words} ${boot.append}`,
    ...drive("root", boot.root, boot.discard_writes === true ? ",snapshot=on" : ",readonly=on"),
  ];
}

const code_paths = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"];
const variables_paths = ["/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_VARS.fd"];

function firstThere(paths: readonly string[]): string {
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`looking for the UEFI firmware failed: none of "${paths.join('", "')}" is there; install the package "ovmf"`);
  return found;
}

/** The template that `firmware_variables` is copied from. */
export function firmwareVariablesTemplate(): string {
  return firstThere(variables_paths);
}

/** A unified kernel image takes words from SMBIOS, as long as there is no Secure Boot (systemd-stub(7)). */
function firmware(variables: string, words: string | null): string[] {
  const flash = (path: string, readonly_: boolean): string[] => [
    "-drive",
    `if=pflash,format=raw,file=${path}${readonly_ ? ",readonly=on" : ""}`,
  ];
  const said = words === null ? [] : ["-smbios", `type=11,value=io.systemd.stub.kernel-cmdline-extra=${words}`];
  return [...flash(firstThere(code_paths), true), ...flash(variables, false), ...said];
}
