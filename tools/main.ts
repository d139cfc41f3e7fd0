/** The broker's process. */

import { existsSync, writeFileSync } from "node:fs";
import { shortBootId } from "../contracts/boot-id.ts";
import { memory_methods } from "../contracts/memory.ts";
import { aios_executable, callerSocket, data_dir, lib_dir, models_dir, run_dir } from "../contracts/paths.ts";
import { linuxSystem } from "../sys/linux.ts";
import { createLog } from "../wire/log.ts";
import { LogReader } from "../wire/logs.ts";
import { localModelsOff } from "../wire/model-process/switch.ts";
import { reconnecting } from "../wire/reconnect.ts";
import { start_answer_limit_ms, startService } from "../wire/service.ts";
import { silent } from "../wire/unix.ts";
import { type OpenBroker, openBroker } from "./broker.ts";
import { catalog, restorers } from "./catalog/index.ts";
import { brokerClock } from "./clock.ts";
import { image_programs } from "./exec/argv.ts";
import { listing_file, readListing } from "./listing.ts";
import { permissionPart } from "./policy/permission.ts";
import { serveBroker } from "./serve.ts";
import { machineTpm } from "./vault/tpm/tpm.ts";

const kmsg = "/dev/kmsg";
/** Longer than those wait who only look: a tool that fails because PID 1 is busy (a slow disk, many starts) is work not done. */
const answer_limit_ms = 20_000;
const work_cgroup = "/sys/fs/cgroup/work";

export async function main(): Promise<void> {
  const log = createLog();
  const logs = new LogReader();
  let broker: OpenBroker | null = null;
  let close = async (): Promise<void> => {};
  const service = await startService({
    name: "broker",
    run: run_dir,
    health: () => healthOf(broker),
    onLog: (notification) => logs.take(notification),
    onStop: () => close(),
    answer_limit_ms,
  });
  const { boot_id, mode } = await service.init.call("system.status", {}, start_answer_limit_ms);
  const sys = linuxSystem();
  const memory = reconnecting({ path: callerSocket("memory", "broker"), sides: { ...silent, calls: memory_methods, tells: {} } });
  broker = await openBroker({
    places: {
      run: run_dir,
      data: data_dir,
      broker: `${data_dir}/broker`,
      userland: { pin: `${lib_dir}/userland.json`, file: "/efi/aios/userland.erofs" },
      models: { catalogue: `${models_dir}/catalogue.yaml`, image: models_dir },
      aios: [aios_executable],
      cgroup: existsSync(`${work_cgroup}/cgroup.procs`) ? `${work_cgroup}/tools` : null,
    },
    boot: shortBootId(boot_id),
    mode,
    sys,
    programs: image_programs,
    clock: brokerClock(sys),
    kmsg: canWrite(kmsg) ? kmsg : null,
    tpm: mode === "machine" ? machineTpm() : null, // in a container it is the host's
    permission: permissionPart({ report: (text) => log.warn(text) }),
    tools: (parts) => readListing(listing_file, catalog, parts),
    restorers,
    remembers: true,
    chooses: localModelsOff() === null,
    neighbours: () => ({
      init: service.init,
      logs: { held: (name, lines) => logs.held(service.init, name, lines) },
      memory: memory.peer,
    }),
    log: (text) => log.warn(text),
    giveUp: (why) => {
      log.error(`giving up: ${why}; what is unfinished is found at the next start`);
      process.exit(70); // EX_SOFTWARE (sysexits.h)
    },
  });
  const server = serveBroker(run_dir, broker);
  if (server.missing.length > 0) log.warn(`no folder for the socket of: ${server.missing.join(", ")}`);
  const opened = broker;
  close = async () => {
    server.close();
    await opened.close();
  };
  service.ready(healthOf(broker).detail);
  setImmediate(() => opened.warm());
}

function healthOf(broker: OpenBroker | null) {
  if (broker === null) return { status: "ok", detail: "starting", facts: {} } as const;
  const broken = broker.degradations();
  const facts = {
    tools: broker.registry.size,
    calls: broker.calls.open,
    waiting: broker.approvals.list(false).length,
    audit_entries: broker.audit.entries,
    audit: (broker.audit.degradation ?? broker.audit.notice ?? "ok").slice(0, 500),
    images_bytes: broker.images.used_bytes,
    ...vaultFacts(broker.vault),
    recovered: broker.recovered.length,
  };
  if (broken.length > 0) return { status: "degraded", detail: broken.join("; ").slice(0, 500), facts } as const;
  return {
    status: "ok",
    detail: `${facts.tools} tools${facts.waiting === 0 ? "" : `, ${facts.waiting} calls wait for approval`}${vaultWords(broker.vault)}`,
    facts,
  } as const;
}

function vaultFacts(vault: OpenBroker["vault"]) {
  const { length } = vault.list();
  return length === 0 ? { secrets: 0 } : { secrets: length, secrets_sealed_by: vault.sealed_by ?? "nothing that is here" };
}

/** For people: without a TPM who has the whole disk has the secrets. */
function vaultWords(vault: OpenBroker["vault"]): string {
  const { length } = vault.list();
  if (length === 0) return "";
  return `, ${length} secrets sealed by ${vault.sealed_by === "tpm" ? "the TPM" : "a file (no TPM)"}`;
}

function canWrite(path: string): boolean {
  try {
    writeFileSync(path, "", { flag: "a" });
    return true;
  } catch {
    return false;
  }
}
