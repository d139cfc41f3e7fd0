/** Gives a file or folder everything that an undo has to bring back. */

import type { System } from "../../sys/system.ts";

/** linux/posix_acl_xattr.h: version, then tag, permissions, id of each entry. */
function acl(): Buffer {
  const entries = [
    [0x01, 7, 0xffff_ffff],
    [0x02, 6, 1234],
    [0x04, 5, 0xffff_ffff],
    [0x10, 7, 0xffff_ffff],
    [0x20, 4, 0xffff_ffff],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  entries.forEach(([tag, permissions, id], index) => {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  });
  return bytes;
}

/** struct vfs_cap_data, revision 2: cap_net_raw, permitted and effective. */
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");

/** Mode 04774 (0774 for folders), owner 12:34, an ACL, an attribute, times before today; files also a capability. */
export function decorate(sys: System, path: string): void {
  const { file } = sys;
  const fd = file.open("cwd", path, ["path", "nofollow"]);
  const is_file = file.status(fd).type === "file";
  file.setOwner(fd, 12, 34);
  file.setMode(fd, is_file ? 0o4774 : 0o774);
  file.setAttribute(fd, "user.note", Buffer.from("kept"));
  file.setAttribute(fd, "system.posix_acl_access", acl());
  if (is_file) file.setAttribute(fd, "security.capability", capability);
  file.setTimes(fd, { atime_ns: 1_111_111_111_111_111_111n, mtime_ns: 999_999_999_000_000_001n });
  sys.descriptor.close(fd);
}
