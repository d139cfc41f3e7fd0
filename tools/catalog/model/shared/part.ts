/**
 * A file that is being fetched: `<name>.gguf.part`, which a kill, a power cut or a cancelled call leaves for the next try, and
 * beside it from where it is. Its hash is that of all that was written, read again from the disk when it is opened.
 */

import { createHash, type Hash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { syncFolder, writeDurably } from "../../../../wire/files.ts";

const Origin = z.lazy(() => z.strictObject({ url: z.string(), etag: z.string().nullable() }));
type Origin = z.infer<typeof Origin>;

const block_bytes = 1024 * 1024;
/** Bytes after which what was written is brought to the disk: a power cut costs no more. */
const sync_bytes = 64 * block_bytes;

const mode = 0o644;

/** Of the disk here, and not of the other side: to ask again is of no use. */
export class DiskError extends Error {
  override readonly name = "DiskError";
}

export class PartFile {
  readonly path: string;
  readonly #file: FileHandle;
  #hash: Hash = createHash("sha256");
  #length = 0;
  #unsynced = 0;
  #origin: Origin | null;
  /** Some of it is from an earlier call, from another address, or from one that does not say when its file changes. */
  #doubtful = false;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
    this.#origin = originOf(path);
  }

  /** @param size_max a longer one cannot be the beginning of what is wanted @throws what the file system throws */
  static async open(path: string, size_max: number, signal: AbortSignal): Promise<PartFile> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const part = new PartFile(path, await open(path, existsSync(path) ? "r+" : "wx+", mode));
    try {
      await part.#readAgain(size_max, signal);
    } catch (error) {
      await part.close();
      throw error;
    }
    return part;
  }

  get length(): number {
    return this.#length;
  }

  get doubtful(): boolean {
    return this.#doubtful;
  }

  /** SHA-256 of all of it. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** By what a server knows whether its file is the one that this is the beginning of; null: nothing. */
  validatorFor(url: string): string | null {
    return this.#origin?.url === url ? this.#origin.etag : null;
  }

  /** Where the bytes that come next are from. */
  from(url: string, etag: string | null): void {
    if (this.#length > 0 && (etag === null || this.#origin?.url !== url || this.#origin.etag !== etag)) this.#doubtful = true;
    if (this.#origin?.url === url && this.#origin.etag === etag) return;
    this.#origin = { url, etag };
    writeDurably(originPath(this.path), JSON.stringify(this.#origin));
  }

  /** @throws {DiskError} */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at, bytes.length - at, this.#length + at)).bytesWritten;
      this.#unsynced += bytes.length;
      if (this.#unsynced >= sync_bytes) {
        this.#unsynced = 0;
        await this.#file.datasync();
      }
    } catch (error) {
      throw new DiskError(`writing "${this.path}" failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  async empty(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#length = 0;
    this.#doubtful = false;
  }

  /** Gives it its place, durably. It is closed then. */
  async moveTo(path: string): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    renameSync(this.path, path);
    rmSync(originPath(this.path), { force: true });
    syncFolder(dirname(path));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #readAgain(size_max: number, signal: AbortSignal): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > size_max) return await this.empty();
    const block = Buffer.alloc(Math.min(block_bytes, Math.max(1, size)));
    while (this.#length < size) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#file.read(block, 0, block.length, this.#length);
      if (bytesRead === 0) break;
      this.#hash.update(block.subarray(0, bytesRead));
      this.#length += bytesRead;
    }
  }
}

export function removePart(path: string): void {
  for (const one of [path, originPath(path)]) rmSync(one, { force: true });
}

function originPath(path: string): string {
  return `${path}.origin`;
}

/** Null where it cannot be read: then it counts as from anywhere. */
function originOf(path: string): Origin | null {
  try {
    return Origin.parse(JSON.parse(readFileSync(originPath(path), "utf8")));
  } catch {
    return null;
  }
}
