/** The store as one call sees it: one folder, numbered files, each of them durable before its promise is resolved. */

import { existsSync, fsyncSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SysError } from "../../sys/errors.ts";
import type { FileStatus } from "../../sys/file/calls.ts";
import type { System } from "../../sys/system.ts";
import { ToolError } from "../tool.ts";
import { contentHash, copyContent, writeAll } from "./copy.ts";
import type { CallImages, KeptFile } from "./images.ts";
import { makeTrash, mountOf, trashPath } from "./trash.ts";

interface CallImagesPorts {
  readonly sys: Pick<System, "file" | "descriptor">;
  /** The store's own folder, which holds one folder a call. */
  readonly folder: string;
  readonly call: string;
  /** The call uses its images: nobody may give them up until it has ended. */
  hold(): { next: number | null };
  /** Sets bytes aside for what is about to be kept. @throws {ToolError} when there is no room */
  reserve(bytes: number): Promise<void>;
  /** Gives back what was set aside and not used. */
  unreserve(bytes: number): void;
}

/** In a call's folder: where its trash on other mounts is, one path a line. */
export const elsewhere_name = "elsewhere";
const trash_folder_name = "trash";
/** Times that a file is copied anew because somebody wrote to it meanwhile. */
const tries_max = 3;
/** What linkat(2) says where a second name cannot be had: then the file is copied. */
const no_link: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "EMLINK", "ENOENT", "EOPNOTSUPP"]);

export function callImages(ports: CallImagesPorts): CallImages {
  const { sys, folder, call } = ports;
  const own = join(folder, call);

  /** The folder of the call, durable; closed after use. */
  const inFolder = async <T>(use: (at: number) => Promise<T>): Promise<T> => {
    const at = openFolder(ports);
    try {
      return await use(at);
    } finally {
      sys.descriptor.close(at);
    }
  };
  const newName = (at: number): string => {
    const held = ports.hold();
    held.next ??= 1 + sys.file.entries(at).reduce((most, { name }) => Math.max(most, numberOf(name.toString())), 0);
    held.next += 1;
    return String(held.next - 1);
  };
  /** Makes a file of the store; what is half done is removed again. */
  const make = async (bytes: number, fill: (fd: number) => Promise<KeptFile["by"]>): Promise<KeptFile> => {
    await ports.reserve(bytes);
    try {
      return await inFolder(async (at) => {
        const name = newName(at);
        const fd = sys.file.open(at, name, ["read-write", "create", "exclusive"], [], 0o600);
        try {
          const by = await fill(fd);
          const { size_bytes } = sys.file.status(fd);
          const sha256 = await contentHash(sys, fd);
          await sys.file.sync(fd);
          await sys.file.sync(at);
          return { name, by, size_bytes, sha256 };
        } catch (error) {
          sys.file.unlink(at, name, "file");
          throw error;
        } finally {
          sys.descriptor.close(fd);
        }
      });
    } catch (error) {
      ports.unreserve(bytes);
      throw inWords(error, call);
    }
  };
  const link = async (fd: number, { size_bytes }: FileStatus): Promise<KeptFile | null> => {
    await ports.reserve(size_bytes);
    try {
      return await inFolder(async (at) => {
        const name = newName(at);
        sys.file.link(fd, at, name);
        const content = sys.file.open(at, name, ["read", "nofollow"]);
        await sys.file.sync(content).finally(() => sys.descriptor.close(content));
        await sys.file.sync(at);
        return { name, by: "link", size_bytes, sha256: null };
      });
    } catch (error) {
      ports.unreserve(size_bytes);
      if (error instanceof SysError && no_link.has(error.code)) return null;
      throw inWords(error, call);
    }
  };
  return {
    async keepFile(fd, how) {
      ports.hold();
      const status = sys.file.status(fd);
      if (status.type !== "file")
        throw new ToolError(`keeping a file for undo failed: it is a ${status.type}, which has no content to keep`);
      // a second name leads to the same content: whoever has one could change what is kept
      const linked = how === "link-or-copy" && status.links === 1 ? await link(fd, status) : null;
      if (linked !== null) return linked;
      return await make(status.allocated_bytes, (to) => copyUnchanged(sys, fd, to));
    },
    async keepBytes(bytes) {
      ports.hold();
      return await make(bytes.length, async (to) => {
        writeAll(sys, to, bytes);
        return "copy";
      });
    },
    pathOf(file) {
      ports.hold();
      // the file itself may have been renamed away by an undo that was cut off; what was given up has no folder
      if (existsSync(own)) return join(own, file.name);
      throw new ToolError(`finding what was kept before "${call}" failed: "${own}" is gone; it was given up`);
    },
    read(file) {
      let bytes: Uint8Array;
      try {
        bytes = readFileSync(this.pathOf(file));
      } catch (error) {
        throw error instanceof ToolError ? error : new ToolError(`reading what was kept before "${call}" failed: ${textOf(error)}`);
      }
      const damaged = file.sha256 !== null && new Bun.CryptoHasher("sha256").update(bytes).digest("hex") !== file.sha256;
      if (damaged)
        throw new ToolError(`reading what was kept before "${call}" failed: "${file.name}" is damaged: its content is not what was kept`);
      return bytes;
    },
    folderFor(path) {
      ports.hold();
      try {
        const mount = mountOf(sys, existing(sys, path));
        const at = openFolder(ports);
        try {
          if (sys.file.status(at).mount_id === mount.id) {
            makeFolder(sys, at, trash_folder_name);
            fsyncSync(at);
            return join(own, trash_folder_name);
          }
          const trash = trashPath(mount.point, call);
          noteElsewhere(sys, at, trash);
          makeTrash(sys, mount, call);
          return trash;
        } finally {
          sys.descriptor.close(at);
        }
      } catch (error) {
        throw inWords(error, call);
      }
    },
  };
}

function numberOf(name: string): number {
  return /^[0-9]+$/.test(name) ? Number(name) : 0;
}

/** The descriptor of the call's folder, which is made when it is missing. */
function openFolder({ sys, folder, call }: CallImagesPorts): number {
  const store = sys.file.open("cwd", folder, ["read", "directory", "nofollow"]);
  try {
    if (makeFolder(sys, store, call)) fsyncSync(store);
    return sys.file.open(store, call, ["read", "directory", "nofollow"], ["beneath", "no-symlinks"]);
  } finally {
    sys.descriptor.close(store);
  }
}

/** @returns whether it was missing */
function makeFolder(sys: CallImagesPorts["sys"], at: number, name: string): boolean {
  try {
    sys.file.makeFolder(at, name, 0o700);
    return true;
  } catch (error) {
    if (error instanceof SysError && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Written down before it is made: a trash that nobody knows of would never be emptied. */
function noteElsewhere(sys: CallImagesPorts["sys"], at: number, trash: string): void {
  const fd = sys.file.open(at, elsewhere_name, ["read-write", "create", "append"], [], 0o600);
  try {
    const known = readFileSync(fd, "utf8").split("\n");
    if (known.includes(trash)) return;
    writeAll(sys, fd, Buffer.from(`${trash}\n`));
    fsyncSync(fd);
    fsyncSync(at);
  } finally {
    sys.descriptor.close(fd);
  }
}

/** A copy of one moment: as long as somebody writes to the file it is made anew. @throws {ToolError} when that does not end */
async function copyUnchanged(sys: CallImagesPorts["sys"], fd: number, to: number): Promise<KeptFile["by"]> {
  const from = sys.file.reopen(fd, ["read"]);
  try {
    for (let tries = 0; tries < tries_max; tries += 1) {
      const before = sys.file.status(from);
      sys.file.truncate(to, 0);
      const by = await copyContent(sys, from, to);
      const after = sys.file.status(from);
      if (before.ctime_ns === after.ctime_ns && before.size_bytes === after.size_bytes) return by;
    }
    throw new ToolError(
      `keeping a file for undo failed: it was written to during each of ${tries_max} copies; try again when nobody writes to it`,
    );
  } finally {
    sys.descriptor.close(from);
  }
}

/** The path, or its folder when there is nothing yet. */
function existing(sys: CallImagesPorts["sys"], path: string): string {
  try {
    sys.file.statusAt("cwd", path);
    return path;
  } catch {
    return dirname(path);
  }
}

function inWords(error: unknown, call: string): ToolError {
  if (error instanceof ToolError) return error;
  return new ToolError(`keeping the state before "${call}" failed: ${textOf(error)}; nothing was changed`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
