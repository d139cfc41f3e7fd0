/** The kernel's initramfs format (Documentation/driver-api/early-userspace/buffer-format.rst): cpio, "newc". */

export interface Entry {
  readonly name: string;
  /** File type and permissions, as in stat(2). */
  readonly mode: number;
  readonly content?: Uint8Array;
}

export const folder_mode = 0o040755;
export const program_mode = 0o100755;

export function archive(entries: readonly Entry[]): Buffer {
  const parts = entries.map((entry, index) => member(entry, index + 1));
  return Buffer.concat([...parts, member({ name: "TRAILER!!!", mode: 0 }, 0)]);
}

function member(entry: Entry, inode: number): Buffer {
  const content = entry.content ?? new Uint8Array();
  const name = Buffer.from(`${entry.name}\0`);
  // inode, mode, uid, gid, links, mtime, size, device and special device (major, minor), length of the name, checksum
  const fields = [inode, entry.mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((value) => value.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(content))]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
