/** Where the files of before-images are kept: one folder a call, bounded by size and age. */

import { z } from "zod";

/** A file that is kept, as it is named in a before-image. */
export const KeptFile = z.strictObject({
  /** Its name in the call's folder. */
  name: z.string().regex(/^[0-9]{1,6}$/),
  /** How it was kept: an own copy, a copy that shares its blocks, or the very inode. */
  by: z.enum(["copy", "reflink", "link"]),
  size_bytes: z.number().int(),
  /** SHA-256 of its content; null for the very inode, whose size and times are compared instead. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});
export type KeptFile = z.infer<typeof KeptFile>;

/** The before-image store as one call sees it. What is kept is durable (fsync) when the promise is resolved. */
export interface CallImages {
  /**
   * Keeps the file behind a descriptor of the caller's (which stays open).
   * `link` may be asked for when the file's only name is about to be replaced, never when it is changed in place.
   * @throws {ToolError} when there is no room for it: then the call does not run
   */
  keepFile(fd: number, how: "copy" | "link-or-copy"): Promise<KeptFile>;
  keepBytes(bytes: Uint8Array): Promise<KeptFile>;
  /** A path on which a kept file can be read (and linked, renamed away from or unlinked, by the undo of its call). @throws {ToolError} when all of the call's was given up */
  pathOf(file: KeptFile): string;
  read(file: KeptFile): Uint8Array;
  /**
   * A folder of this call's on the same mount as `path`, into which whole trees can be renamed (the trash): below the image
   * store when that is on the same mount (bind mounts of one file system are not: rename(2) gives EXDEV), else
   * `.aios-trash/<call>` at the mount's root. Made when it is missing, mode 0700; the same at each asking.
   */
  folderFor(path: string): string;
}
