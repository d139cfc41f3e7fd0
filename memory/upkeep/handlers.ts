/** Upkeep, as it is asked over the socket. */

import { readdirSync } from "node:fs";
import type { Backup, upkeep_methods } from "../../contracts/memory/upkeep.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import { readManifest, told } from "./backup/manifest.ts";
import { decideRestore, finishRestore } from "./backup/restore.ts";
import { backupIn, backupsIn, freeName } from "./folders.ts";
import type { Jobs } from "./job.ts";

const listed_max = 200;

export function upkeepHandlers(keeper: Keeper, jobs: Jobs): Handlers<typeof upkeep_methods> {
  return {
    async "backup.make"({ name }) {
      const begin_ms = performance.now();
      const backup = await jobs.run<"backup">({ do: "backup", folder: onDisk(keeper), name, time_ms: Date.now() });
      return { backup, took_ms: performance.now() - begin_ms };
    },
    "backup.list": () => listBackups(keeper.folder),
    async "backup.verify"({ name }) {
      const begin_ms = performance.now();
      const found = await jobs.run<"verify">({ do: "verify", folder: keeper.folder, name });
      return { ...found, took_ms: performance.now() - begin_ms };
    },
    async "backup.restore"({ name }) {
      const begin_ms = performance.now();
      const folder = keeper.folder;
      const backup = await jobs.run<"stage">({ do: "stage", folder, name });
      const set_aside = freeName(folder, "replaced", new Date());
      keeper.exchange(() => {
        decideRestore(folder, { name, set_aside });
        finishRestore(folder);
      });
      return { backup, set_aside, took_ms: performance.now() - begin_ms };
    },
  };
}

/** @throws {RpcError} when memory is in RAM only: there is no file to be copied */
function onDisk(keeper: Keeper): string {
  if (!keeper.on_disk)
    throw new RpcError(rpc_error.unavailable, `the backup was not begun: ${keeper.degradation ?? "memory is in RAM only"}`);
  return keeper.folder;
}

function listBackups(folder: string): { backups: Backup[]; unreadable: string[] } {
  const backups: Backup[] = [];
  const unreadable: string[] = [];
  for (const name of namesIn(backupsIn(folder)).slice(0, listed_max)) {
    try {
      backups.push(told(name, readManifest(backupIn(folder, name))));
    } catch (error) {
      unreadable.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { backups: backups.sort((a, b) => a.made_ms - b.made_ms), unreadable };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}
