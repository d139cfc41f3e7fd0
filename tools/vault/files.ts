/** The vault's files: each replaced whole or left as it is, durable when the promise is resolved. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isSysError } from "../../sys/errors.ts";
import type { System } from "../../sys/system.ts";

type Calls = Pick<System, "file" | "descriptor">;

const ending = ".json";
const fresh = ".new";

export class Folder {
  readonly path: string;
  readonly #sys: Calls;

  /** @param path made when it is missing */
  constructor(path: string, sys: Calls) {
    this.path = path;
    this.#sys = sys;
  }

  /** Names without their ending, sorted. What a killed write has left half done goes away. */
  names(): string[] {
    return entries(this.path)
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))
      .sort();
  }

  sweep(): void {
    for (const name of entries(this.path)) if (name.endsWith(fresh)) this.#sys.file.unlink("cwd", `${this.path}/${name}`, "file");
  }

  /** @returns null when there is none. @throws when it cannot be read */
  read(name: string): Buffer | null {
    try {
      return readFileSync(this.#pathOf(name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
  }

  /** @throws {SysError} ENOSPC and the like; then all is as it was */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const { file, descriptor } = this.#sys;
    const made = this.#make();
    const path = this.#pathOf(name);
    const fd = file.open("cwd", path + fresh, ["write", "create", "truncate", "nofollow"], [], 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += descriptor.write(fd, bytes.subarray(at)) ?? 0;
      await file.sync(fd);
    } catch (error) {
      file.unlink("cwd", path + fresh, "file");
      throw error;
    } finally {
      descriptor.close(fd);
    }
    file.rename("cwd", path + fresh, "cwd", path, "replace");
    await this.#sync(this.path);
    for (const folder of made) await this.#sync(dirname(folder));
  }

  /** Done twice is done once. */
  async remove(name: string): Promise<void> {
    if (this.read(name) === null) return;
    this.#sys.file.unlink("cwd", this.#pathOf(name), "file");
    await this.#sync(this.path);
  }

  /** Writes zeros over the file that a name had, after `work` has given the name another: for what was plain in it. */
  async replacing(name: string, work: () => Promise<void>): Promise<void> {
    const { file, descriptor } = this.#sys;
    const before = this.read(name);
    const fd = file.open("cwd", this.#pathOf(name), ["write", "nofollow"]);
    try {
      await work();
      for (let at = 0; at < (before?.length ?? 0); ) at += descriptor.write(fd, Buffer.alloc((before?.length ?? 0) - at)) ?? 0;
      await file.sync(fd);
    } finally {
      descriptor.close(fd);
    }
  }

  #pathOf(name: string): string {
    return `${this.path}/${name}${ending}`;
  }

  /** @returns the folders that were not there */
  #make(): string[] {
    return [dirname(this.path), this.path].filter((folder) => {
      try {
        this.#sys.file.makeFolder("cwd", folder, 0o700);
        return true;
      } catch (error) {
        if (isSysError(error, "EEXIST")) return false;
        throw error;
      }
    });
  }

  async #sync(folder: string): Promise<void> {
    const fd = this.#sys.file.open("cwd", folder, ["read", "directory"]);
    try {
      await this.#sys.file.sync(fd);
    } finally {
      this.#sys.descriptor.close(fd);
    }
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
