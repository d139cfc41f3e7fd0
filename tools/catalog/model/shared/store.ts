/**
 * Model files: those of the image, read-only, and those that were fetched, in `/var/lib/aios/models`, which the broker writes and
 * everybody may read. A file has the name of its model; what is being fetched has its own folder below.
 */

import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readFileSync, type StatsFs, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CatalogueModel, ModelInUse, workingBytes } from "../../../../contracts/model/catalogue.ts";
import type { Places } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";

export type Origin = "image" | "fetched";

export interface Present {
  readonly model: CatalogueModel;
  readonly path: string;
  readonly origin: Origin;
  readonly size_bytes: number;
}

type Here = Pick<Places, "data" | "models">;

export const modelsFolder = ({ data }: Pick<Places, "data">): string => join(data, "models");
export const fetchedPath = (places: Pick<Places, "data">, name: string): string => join(modelsFolder(places), `${name}.gguf`);
export const partPath = (places: Pick<Places, "data">, name: string): string => join(modelsFolder(places), "parts", `${name}.gguf.part`);

/** Everybody may read what is in it, and nobody but the broker write. */
export function prepareFolder(places: Pick<Places, "data">): string {
  const folder = modelsFolder(places);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/** Bytes of what has come of it so far; 0: nothing. */
export const partBytes = (places: Pick<Places, "data">, name: string): number => sizeOf(partPath(places, name)) ?? 0;

/** The image's, if it has one. */
export function presentFile(model: CatalogueModel, places: Here): Present | null {
  for (const [origin, path] of [
    ["image", join(places.models.image, `${model.name}.gguf`)],
    ["fetched", fetchedPath(places, model.name)],
  ] as const) {
    const size_bytes = sizeOf(path);
    if (size_bytes !== null) return { model, path, origin, size_bytes };
  }
  return null;
}

/** @throws {ToolError} when it is not there, or obviously not whole */
export function demandPresent(model: CatalogueModel, what: string, places: Here): Present {
  const found = presentFile(model, places);
  if (found === null) throw new ToolError(`${what} failed: its file is not on this machine; model.pull fetches it`);
  if (found.size_bytes !== model.size_bytes)
    throw new ToolError(
      `${what} failed: "${found.path}" has ${found.size_bytes} bytes, not ${model.size_bytes}; remove it with model.remove and fetch it anew`,
    );
  return found;
}

export function inUse({ model, path }: Present): ModelInUse {
  const { name, size_bytes, context_used_tokens, chat_format } = model;
  return ModelInUse.parse({
    name,
    path,
    sha256: model.sha256,
    size_bytes,
    working_bytes: workingBytes(model),
    context_used_tokens,
    chat_format,
  });
}

/** SHA-256 of a file as it is on the disk now. @param onBytes told how far it is */
export async function hashOf(path: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of createReadStream(path, { signal, highWaterMark: 1024 * 1024 })) {
    const block: Uint8Array = piece;
    hash.update(block);
    bytes += block.length;
    onBytes(bytes);
  }
  return hash.digest("hex");
}

/**
 * What has to stay free for everything else: a full data partition stops memory and the record. They need no more of a large
 * disk than of one of 40 GiB.
 */
const reserve = { share: 0.05, bytes_min: 64 * 1024 * 1024, bytes_max: 2 * 1024 * 1024 * 1024 } as const;

/** @param bytes that are still to come @throws {ToolError} with the figures */
export function demandRoom(
  folder: string,
  bytes: number,
  what: string,
  { bavail, blocks, bsize }: Pick<StatsFs, "bavail" | "blocks" | "bsize"> = statfsSync(folder),
): void {
  const kept = Math.min(Math.max(reserve.bytes_min, blocks * bsize * reserve.share), reserve.bytes_max);
  const free = bavail * bsize;
  if (bytes + kept <= free) return;
  const mib = (value: number): string => `${Math.ceil(value / (1024 * 1024))} MiB`;
  throw new ToolError(
    `${what} failed: ${mib(bytes)} are still to come and ${mib(kept)} have to stay free, and "${folder}" has ${mib(free)} free; make room (model.remove, fs.usage) or take a smaller model`,
  );
}

function sizeOf(path: string): number | null {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true ? status.size : null;
}

/** The tighter of the machine's memory and what a cgroup lets the tiers take together. Bytes. */
export function tiersMemory(meminfo = "/proc/meminfo", cgroup = "/sys/fs/cgroup/tiers"): number {
  const total = Number(/^MemTotal:\s+(\d+) kB/m.exec(textOf(meminfo))?.[1] ?? 0) * 1024;
  const limits = ["memory.high", "memory.max"].map((file) => Number.parseInt(textOf(`${cgroup}/${file}`), 10));
  return Math.min(total, ...limits.filter(Number.isFinite));
}

/** What the machine can give without taking it from others. Bytes. */
export function availableMemory(meminfo = "/proc/meminfo"): number {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(textOf(meminfo))?.[1] ?? 0) * 1024;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
