/** What the machine is made of, from /proc and /sys. Whatever cannot be read is left out: an inventory never fails. */

import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Hardware } from "../../contracts/init.ts";
import { names, readNumber, readText } from "./files.ts";
import type { Phase } from "./phase.ts";
import { done } from "./result.ts";

const text_max = 200;
const sector_bytes = 512;
const kib = 1024;

export const hardwareInventory: Phase = {
  name: "hardware inventory",
  what: "What the machine is made of, for people and tiers to look up",
  modes: "both",
  limit_ms: 5000,
  run: async (boot) => {
    const hardware = readHardware("");
    boot.state.hardware = hardware;
    const { cpu, memory, disks, nics } = hardware;
    const mib = Math.round(memory.total_bytes / kib / kib);
    return done(
      `${cpu.logical} × ${cpu.model}, ${mib} MiB, ${disks.length} disks, ${nics.length} network devices, ${hardware.virtualisation}`,
    );
  },
};

/** @param root where /proc and /sys are; empty for the real ones */
export function readHardware(root: string): Hardware {
  const cpuinfo = readText(`${root}/proc/cpuinfo`) ?? "";
  const firmware = readFirmware(root);
  return {
    cpu: readCpu(root, cpuinfo),
    memory: readMemory(readText(`${root}/proc/meminfo`) ?? ""),
    numa: readNuma(root),
    disks: readDisks(root),
    nics: readNics(root),
    gpus: readGpus(root),
    sensors: readSensors(root),
    tpm: readTpm(root),
    firmware,
    virtualisation: readVirtualisation(root, cpuinfo, firmware),
  };
}

/** Firmware and devices write these: capped, and without what would break a line. */
function clean(text: string | null, fallback = ""): string {
  const printable = (text ?? "")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, text_max);
  return printable === "" ? fallback : printable;
}

function readCpu(root: string, cpuinfo: string): Hardware["cpu"] {
  const field = (name: string): string | null => new RegExp(`^${name}\\s*:\\s*(.+)$`, "m").exec(cpuinfo)?.[1] ?? null;
  const folder = `${root}/sys/devices/system/cpu`;
  const cpus = names(folder).filter((name) => /^cpu\d+$/.test(name));
  const logical = cpuinfo.match(/^processor\s*:/gm)?.length ?? cpus.length;
  const topology = cpus.map((name) => {
    const socket = readText(`${folder}/${name}/topology/physical_package_id`) ?? "0";
    return { socket, core: `${socket}:${readText(`${folder}/${name}/topology/core_id`) ?? name}` };
  });
  return {
    model: clean(field("model name") ?? field("CPU part"), "unknown"),
    logical,
    cores: new Set(topology.map(({ core }) => core)).size || logical,
    sockets: new Set(topology.map(({ socket }) => socket)).size || 1,
    flags: (field("flags") ?? field("Features") ?? "")
      .split(/\s+/)
      .filter(Boolean)
      .map((flag) => clean(flag)),
  };
}

function readMemory(meminfo: string): Hardware["memory"] {
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? 0) * kib;
  return { total_bytes: bytes("MemTotal"), swap_bytes: bytes("SwapTotal") };
}

function readNuma(root: string): Hardware["numa"] {
  const folder = `${root}/sys/devices/system/node`;
  return names(folder)
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => ({
      node: Number(name.slice("node".length)),
      cpus: clean(readText(`${folder}/${name}/cpulist`)),
      memory_bytes: Number(/MemTotal:\s+(\d+) kB/.exec(readText(`${folder}/${name}/meminfo`) ?? "")?.[1] ?? 0) * kib,
    }));
}

/** Not loop devices and the like: what has a device behind it. */
function readDisks(root: string): Hardware["disks"] {
  const folder = `${root}/sys/block`;
  return names(folder)
    .filter((name) => existsSync(`${folder}/${name}/device`) && (readNumber(`${folder}/${name}/size`) ?? 0) > 0)
    .map((name) => ({
      name: clean(name),
      model: clean(readText(`${folder}/${name}/device/model`) ?? readText(`${folder}/${name}/device/vendor`), "unknown"),
      size_bytes: (readNumber(`${folder}/${name}/size`) ?? 0) * sector_bytes,
      removable: readNumber(`${folder}/${name}/removable`) === 1,
      rotational: readNumber(`${folder}/${name}/queue/rotational`) === 1,
    }));
}

function readNics(root: string): Hardware["nics"] {
  const folder = `${root}/sys/class/net`;
  return names(folder)
    .filter((name) => existsSync(`${folder}/${name}/device`))
    .map((name) => {
      const speed = readNumber(`${folder}/${name}/speed`);
      return {
        name: clean(name),
        mac: clean(readText(`${folder}/${name}/address`)),
        driver: driverOf(`${folder}/${name}/device`),
        mtu: readNumber(`${folder}/${name}/mtu`) ?? 0,
        carrier: readNumber(`${folder}/${name}/carrier`) === 1,
        speed_mbps: speed !== null && speed > 0 ? speed : null,
      };
    });
}

/** PCI class 03: display controllers. */
function readGpus(root: string): Hardware["gpus"] {
  const folder = `${root}/sys/bus/pci/devices`;
  return names(folder)
    .filter((address) => readText(`${folder}/${address}/class`)?.startsWith("0x03"))
    .map((address) => ({
      address: clean(address),
      vendor: clean(readText(`${folder}/${address}/vendor`)),
      device: clean(readText(`${folder}/${address}/device`)),
      driver: driverOf(`${folder}/${address}`),
    }));
}

function driverOf(device: string): string {
  try {
    return clean(basename(readlinkSync(`${device}/driver`)));
  } catch {
    return "";
  }
}

/** Units of hwmon (Documentation/hwmon/sysfs-interface.rst), by the first word of the file's name. */
const sensor_units: Readonly<Record<string, { readonly kind: string; readonly unit: string; readonly per_unit: number }>> = {
  temp: { kind: "temperature", unit: "°C", per_unit: 1000 },
  in: { kind: "voltage", unit: "V", per_unit: 1000 },
  fan: { kind: "fan", unit: "rpm", per_unit: 1 },
  curr: { kind: "current", unit: "A", per_unit: 1000 },
  power: { kind: "power", unit: "W", per_unit: 1_000_000 },
  humidity: { kind: "humidity", unit: "%", per_unit: 1000 },
};

function readSensors(root: string): Hardware["sensors"] {
  const folder = `${root}/sys/class/hwmon`;
  return names(folder).flatMap((chip) =>
    names(`${folder}/${chip}`).flatMap((file) => {
      const [, word = "", number = ""] = /^([a-z]+)(\d+)_(?:input|average)$/.exec(file) ?? [];
      const known = sensor_units[word];
      const raw = readNumber(`${folder}/${chip}/${file}`);
      if (known === undefined || raw === null) return [];
      return [
        {
          chip: clean(readText(`${folder}/${chip}/name`), chip),
          label: clean(readText(`${folder}/${chip}/${word}${number}_label`), `${word}${number}`),
          kind: known.kind,
          value: raw / known.per_unit,
          unit: known.unit,
        },
      ];
    }),
  );
}

function readTpm(root: string): Hardware["tpm"] {
  const name = names(`${root}/sys/class/tpm`)[0];
  if (name === undefined) return { present: false, version: "" };
  return { present: true, version: clean(readText(`${root}/sys/class/tpm/${name}/tpm_version_major`), "unknown") };
}

function readFirmware(root: string): Hardware["firmware"] {
  const dmi = (name: string): string => clean(readText(`${root}/sys/class/dmi/id/${name}`));
  const devicetree = readBytes(`${root}/proc/device-tree/model`);
  if (devicetree !== null && !existsSync(`${root}/sys/class/dmi/id`))
    return { kind: "devicetree", vendor: "", version: "", board: clean(devicetree) };
  const has_dmi = existsSync(`${root}/sys/class/dmi/id`);
  const uefi = existsSync(`${root}/sys/firmware/efi`);
  return {
    kind: uefi ? "uefi" : has_dmi ? "bios" : "unknown",
    vendor: dmi("bios_vendor"),
    version: dmi("bios_version"),
    board: clean([dmi("sys_vendor"), dmi("product_name")].filter(Boolean).join(" ")),
  };
}

function readBytes(path: string): string | null {
  try {
    return readFileSync(path, "latin1").replaceAll("\0", "");
  } catch {
    return null;
  }
}

/** Names in DMI (and the device tree) by which hypervisors are known. */
const hypervisors: readonly (readonly [RegExp, string])[] = [
  [/QEMU|Standard PC|linux,dummy-virt/i, "QEMU"],
  [/KVM/i, "KVM"],
  [/VMware/i, "VMware"],
  [/VirtualBox|innotek/i, "VirtualBox"],
  [/Microsoft.*Virtual/i, "Hyper-V"],
  [/Xen/i, "Xen"],
  [/Amazon EC2/i, "Amazon EC2"],
  [/Google/i, "Google Compute Engine"],
];

function readVirtualisation(root: string, cpuinfo: string, firmware: Hardware["firmware"]): string {
  const told = `${firmware.vendor} ${firmware.board}`;
  const found = hypervisors.find(([pattern]) => pattern.test(told));
  if (found !== undefined) return found[1];
  const type = readText(`${root}/sys/hypervisor/type`);
  if (type !== null) return clean(type);
  return /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo) ? "a hypervisor of unknown kind" : "none";
}
