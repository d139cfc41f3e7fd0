/** What the machine is called, and the number that tells it from every other (machine-id(5)). */

import { createHash, randomBytes } from "node:crypto";
import { configured_hostname, data_dir, run_dir } from "../../contracts/paths.ts";
import { writeDurably } from "../../wire/files.ts";
import { readText, reasonOf } from "./files.ts";
import type { Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const hostname_file = `${run_dir}/etc/hostname`;
/** The same name, which stays the config's when a call sets another. */
const configured_file = `${run_dir}/${configured_hostname}`;
const machine_id_file = `${run_dir}/etc/machine-id`;
const kept_machine_id = `${data_dir}/machine-id`;
const product_uuid = "/sys/class/dmi/id/product_uuid";
const domain_none = "(none)";

export const hostName: Phase = {
  name: "hostname",
  what: "The name of the machine, from its config",
  modes: "both",
  limit_ms: 1000,
  run: async (boot) => {
    const name = boot.state.config.hostname;
    writeDurably(hostname_file, `${name}\n`);
    writeDurably(configured_file, `${name}\n`);
    try {
      boot.sys.host.setHostname(name);
      boot.sys.host.setDomainname(domain_none);
    } catch (error) {
      return degraded("hostname", reasonOf(error), "run PID 1 with CAP_SYS_ADMIN in its own UTS namespace");
    }
    return done(name);
  },
};

export const machineId: Phase = {
  name: "machine id",
  what: "The number of this installation, the same at every boot",
  modes: "both",
  limit_ms: 2000,
  run: async (boot) => {
    const { id, from } = chooseMachineId(readText(kept_machine_id), boot.state.data.persistent, readText(product_uuid));
    boot.state.machine_id = id;
    writeDurably(machine_id_file, `${id}\n`);
    if (from !== "kept" && boot.state.data.persistent) writeDurably(kept_machine_id, `${id}\n`);
    return done(`${id} (${from})`);
  },
};

/**
 * The kept one; else, where nothing can be kept, one made from the firmware's number of the machine, which stays; else a
 * random one. The firmware's own number is not used as it is: it is printed on stickers.
 */
export function chooseMachineId(
  kept: string | null,
  persistent: boolean,
  firmware_uuid: string | null,
): { readonly id: string; readonly from: string } {
  if (kept !== null && /^[0-9a-f]{32}$/.test(kept) && !/^0+$/.test(kept)) return { id: kept, from: "kept" };
  const uuid = firmware_uuid?.toLowerCase() ?? "";
  const stable = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) && !/^[0f-]+$/.test(uuid);
  if (!persistent && stable)
    return { id: asUuid4(createHash("sha256").update(`aios machine-id ${uuid}`).digest()), from: "made from the firmware's" };
  return { id: asUuid4(randomBytes(16)), from: "new" };
}

/** 32 hexadecimal digits that are a valid version 4 UUID, as machine-id(5) recommends. */
function asUuid4(bytes: Buffer): string {
  const id = Buffer.from(bytes.subarray(0, 16));
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString("hex");
}
