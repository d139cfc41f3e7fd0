/** Upkeep, as it is asked over the socket. */

import { readdirSync } from "node:fs";
import type { Backup, upkeep_methods } from "../../contracts/memory/upkeep.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { Keeper } from "../keeper.ts";
import { readManifest, told } from "./backup/manifest.ts";
import { decideRestore, finishRestore } from "./backup/restore.ts";
import { backupIn, backupsIn, freeName } from "./folders.ts";
import type { Upkeep } from "./upkeep.ts";

const listed_max = 200;
const segments_listed_max = 1000;
const damaged_listed_max = 100;
const day_ms = 86_400_000;

export function upkeepHandlers(keeper: Keeper, upkeep: Upkeep): Handlers<typeof upkeep_methods> {
  const { jobs } = upkeep;
  return {
    async "backup.make"({ name }) {
      const begin_ms = performance.now();
      const backup = await jobs.run<"backup">({ do: "backup", folder: onDisk(keeper), name, time_ms: upkeep.now() });
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
      const set_aside = freeName(folder, "replaced", new Date(upkeep.now()));
      keeper.exchange(() => {
        decideRestore(folder, { name, set_aside });
        finishRestore(folder);
      });
      return { backup, set_aside, took_ms: performance.now() - begin_ms };
    },
    async export({ name, filter }) {
      const begin_ms = performance.now();
      const job = { do: "export", folder: onDisk(keeper), name, which: filter, time_ms: upkeep.now() } as const;
      return { exported: await jobs.run<"export">(job), took_ms: performance.now() - begin_ms };
    },
    async import({ name }) {
      const begin_ms = performance.now();
      return { ...(await upkeep.import(name)), took_ms: performance.now() - begin_ms };
    },
    "segments.list": () => ({
      segments: keeper.read(({ upkeep: rows }) => rows.segments()).slice(-segments_listed_max),
      damaged: [...keeper.parts.cold.damaged.values()].slice(0, damaged_listed_max),
    }),
    async "segments.move"({ older_than_days, limit }) {
      const begin_ms = performance.now();
      onDisk(keeper);
      const segment = await upkeep.move({ older_than_ms: older_than_days * day_ms, keep_newest: 0, at_least: 1, limit });
      return { moved: segment?.memories ?? 0, segment, took_ms: performance.now() - begin_ms };
    },
  };
}

/** @throws {RpcError} when memory is in RAM only: there is no file to work on */
function onDisk(keeper: Keeper): string {
  if (!keeper.on_disk) throw new RpcError(rpc_error.unavailable, `this was not begun: ${keeper.degradation ?? "memory is in RAM only"}`);
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
