/**
 * Several overlay layers made into one that shows the same above the same base (kernel: filesystems/overlayfs.rst). Files
 * are hard links to those of the layers, which nothing changes: it takes no room, and removing the old layers leaves them.
 */

import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../../context.ts";
import { breathe, goOn } from "../../fs/shared/failure.ts";

/** A folder with this attribute hides what the layers below it have at its path. */
const opaque = "trusted.overlay.opaque";
/** What overlayfs notes for itself about one layer upon another (`origin`, `impure`, `nlink`): wrong in any other. */
const own_notes = "trusted.overlay.";
/** Entries after which others have their turn. */
const breath_entries = 500;

export interface Merge {
  /** Layers, the lowest first. */
  readonly layers: readonly string[];
  /** The base as it is mounted. */
  readonly base: string;
  /** An empty folder on the file system of the layers. */
  readonly into: string;
}

type Ports = Pick<Context, "sys" | "signal">;

/** @throws {SysError | Error} when a link or folder cannot be made; what is there by then is for the caller to remove */
export async function mergeLayers({ layers, base, into }: Merge, context: Ports): Promise<void> {
  const merging = new Merging(context);
  for (const layer of layers) await merging.add(layer, base, into);
}

class Merging {
  #entries = 0;
  constructor(private readonly context: Ports) {}

  /**
   * Puts what a layer says of a folder upon what those below it have said.
   * @param base the base's folder that shows through here; null: none does
   */
  async add(layer: string, base: string | null, into: string): Promise<void> {
    for (const name of readdirSync(layer)) {
      const [from, to] = [join(layer, name), join(into, name)];
      const status = lstatSync(from);
      const below = base === null ? null : join(base, name);
      if (status.isDirectory()) await this.#folder({ from, to, status }, below);
      else this.#file({ from, to, status }, below);
      this.#entries += 1;
      if (this.#entries % breath_entries === 0) await breathe();
      goOn(this.context.signal);
    }
    this.#describe(layer, into);
  }

  /** A file, link or device is there instead of whatever was; a whiteout is wanted only where the base has something to hide. */
  #file({ from, to, status }: Entry, below: string | null): void {
    rmSync(to, { recursive: true, force: true });
    if (!isWhiteout(status) || (below !== null && isThere(below))) linkSync(from, to);
  }

  async #folder({ from, to }: Entry, below: string | null): Promise<void> {
    const was = lstatSync(to, { throwIfNoEntry: false });
    // upon a whiteout or a file overlayfs looks no further down either
    const alone = this.#isOpaque(from) || (was !== undefined && !was.isDirectory());
    if (was === undefined || alone) {
      rmSync(to, { recursive: true, force: true });
      mkdirSync(to, { mode: 0o700 });
    }
    // opaque upon nothing would be right too, but says what is not so
    if (alone && below !== null && isThere(below)) this.#makeOpaque(to);
    const shows = below !== null && !this.#isOpaque(to) && isFolder(below);
    await this.add(from, shows ? below : null, to);
  }

  /** Owner, mode, attributes and times of a folder; of a file its link has them. */
  #describe(from: string, to: string): void {
    const { file, descriptor } = this.context.sys;
    const [source, target] = [file.open("cwd", from, ["read", "directory"]), file.open("cwd", to, ["read", "directory"])];
    try {
      const { uid, gid, mode, mtime_ns } = file.status(source);
      file.setOwner(target, uid, gid);
      file.setMode(target, mode);
      const wanted = file.attributes(source).filter((name) => !name.startsWith(own_notes));
      for (const name of file.attributes(target))
        if (!name.startsWith(own_notes) && !wanted.includes(name)) file.removeAttribute(target, name);
      for (const name of wanted) file.setAttribute(target, name, file.attribute(source, name) ?? new Uint8Array());
      file.setTimes(target, { mtime_ns });
    } finally {
      descriptor.close(source);
      descriptor.close(target);
    }
  }

  #isOpaque(folder: string): boolean {
    const { file, descriptor } = this.context.sys;
    const fd = file.open("cwd", folder, ["read", "directory"]);
    try {
      return file.attribute(fd, opaque)?.toString() === "y";
    } finally {
      descriptor.close(fd);
    }
  }

  #makeOpaque(folder: string): void {
    const { file, descriptor } = this.context.sys;
    const fd = file.open("cwd", folder, ["read", "directory"]);
    try {
      file.setAttribute(fd, opaque, Buffer.from("y"));
    } finally {
      descriptor.close(fd);
    }
  }
}

interface Entry {
  readonly from: string;
  readonly to: string;
  readonly status: Stats;
}

/** A character device 0/0 stands for "nothing here". */
function isWhiteout(status: Stats): boolean {
  return status.isCharacterDevice() && status.rdev === 0;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(path: string): boolean {
  return existsSync(path) && lstatSync(path).isDirectory();
}
