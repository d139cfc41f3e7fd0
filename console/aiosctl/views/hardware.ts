/** `aiosctl hw`: what the machine is made of. */

import type { Hardware } from "../../../contracts/init.ts";
import { plain } from "../text/plain.ts";
import { type Cell, pairs } from "../text/table.ts";
import { bytes } from "../text/units.ts";
import type { View } from "./view.ts";

export function hardwareView(hw: Hardware, { paint }: View): string[] {
  const { cpu, memory, firmware } = hw;
  const rows: [string, Cell][] = [
    ["cpu", { text: `${plain(cpu.model)}: ${cpu.sockets} sockets, ${cpu.cores} cores, ${cpu.logical} logical` }],
    ["memory", { text: `${bytes(memory.total_bytes)}${memory.swap_bytes > 0 ? `, ${bytes(memory.swap_bytes)} swap` : ", no swap"}` }],
    ...hw.numa.map((node): [string, Cell] => [`numa ${node.node}`, { text: `cpus ${plain(node.cpus)}, ${bytes(node.memory_bytes)}` }]),
    ...hw.disks.map((disk): [string, Cell] => [
      "disk",
      {
        text: `${plain(disk.name)}  ${bytes(disk.size_bytes)}  ${plain(disk.model)}${disk.removable ? "  removable" : ""}${disk.rotational ? "  rotational" : ""}`,
      },
    ]),
    ...hw.nics.map((nic): [string, Cell] => [
      "network",
      { text: `${plain(nic.name)}  ${plain(nic.mac)}  ${plain(nic.driver)}  mtu ${nic.mtu}  ${carrier(nic)}` },
    ]),
    ...hw.gpus.map((gpu): [string, Cell] => ["gpu", { text: plain(`${gpu.address}  ${gpu.vendor} ${gpu.device}  ${gpu.driver}`) }]),
    ...hw.sensors.map((one): [string, Cell] => ["sensor", { text: plain(`${one.chip} ${one.label}  ${one.value} ${one.unit}`) }]),
    ["tpm", { text: hw.tpm.present ? `version ${plain(hw.tpm.version)}` : "none" }],
    [
      "firmware",
      { text: plain([firmware.kind, firmware.vendor, firmware.version, firmware.board].filter((one) => one !== "").join("  ")) },
    ],
    ["runs on", { text: plain(hw.virtualisation === "" ? "hardware" : hw.virtualisation) }],
  ];
  return pairs(rows, paint);
}

function carrier(nic: Hardware["nics"][number]): string {
  if (!nic.carrier) return "no carrier";
  return nic.speed_mbps === null ? "carrier" : `carrier, ${nic.speed_mbps} Mbit/s`;
}
