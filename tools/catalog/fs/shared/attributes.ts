/** Mode, owner, times and extended attributes of a file: kept, and put back exactly. */

import { z } from "zod";
import type { FileStatus } from "../../../../sys/file/calls.ts";
import type { System } from "../../../../sys/system.ts";

const Nanoseconds = z.string().regex(/^-?[0-9]{1,20}$/);

export const KeptAttributes = z.lazy(() =>
  z.strictObject({
    mode: z.number().int(),
    uid: z.number().int(),
    gid: z.number().int(),
    atime_ns: Nanoseconds,
    mtime_ns: Nanoseconds,
    /** Values in base64; POSIX ACLs and file capabilities are among them. */
    extended: z.record(z.string(), z.string()),
  }),
);
export type KeptAttributes = z.infer<typeof KeptAttributes>;

export function readAttributes(sys: System, fd: number, status: FileStatus = sys.file.status(fd)): KeptAttributes {
  return {
    mode: status.mode,
    uid: status.uid,
    gid: status.gid,
    atime_ns: String(status.atime_ns),
    mtime_ns: String(status.mtime_ns),
    extended: readExtended(sys, fd),
  };
}

export function readExtended(sys: System, fd: number): Record<string, string> {
  const extended: Record<string, string> = {};
  for (const name of sys.file.attributes(fd)) {
    const value = sys.file.attribute(fd, name);
    if (value !== null) extended[name] = value.toString("base64");
  }
  return extended;
}

/**
 * Makes them so; what is so already is not touched.
 * The order matters: chown(2) clears setuid and capabilities, chmod(2) changes an ACL's mask, and all of it changes times.
 * @param link a symbolic link, whose mode is not for setting
 */
export function writeAttributes(sys: System, fd: number, wanted: KeptAttributes, link = false): void {
  const { file } = sys;
  const now = file.status(fd);
  if (now.uid !== wanted.uid || now.gid !== wanted.gid) file.setOwner(fd, wanted.uid, wanted.gid);
  if (!link && file.status(fd).mode !== wanted.mode) file.setMode(fd, wanted.mode);
  writeExtended(sys, fd, wanted.extended);
  if (!link && file.status(fd).mode !== wanted.mode) file.setMode(fd, wanted.mode); // an ACL that went or came
  file.setTimes(fd, { atime_ns: BigInt(wanted.atime_ns), mtime_ns: BigInt(wanted.mtime_ns) });
}

function writeExtended(sys: System, fd: number, wanted: Readonly<Record<string, string>>): void {
  const now = readExtended(sys, fd);
  for (const name of Object.keys(now)) if (!Object.hasOwn(wanted, name)) sys.file.removeAttribute(fd, name);
  for (const [name, value] of Object.entries(wanted))
    if (now[name] !== value) sys.file.setAttribute(fd, name, Buffer.from(value, "base64"));
}

/** @returns what differs, in words; null when nothing does. Access times are not compared: reading changes them. */
export function differenceOf(sys: System, fd: number, wanted: KeptAttributes, link = false): string | null {
  const now = readAttributes(sys, fd);
  if (!link && now.mode !== wanted.mode) return `mode ${now.mode.toString(8)} instead of ${wanted.mode.toString(8)}`;
  if (now.uid !== wanted.uid || now.gid !== wanted.gid) return `owner ${now.uid}:${now.gid} instead of ${wanted.uid}:${wanted.gid}`;
  if (now.mtime_ns !== wanted.mtime_ns) return `mtime ${now.mtime_ns} instead of ${wanted.mtime_ns}`;
  const names = new Set([...Object.keys(now.extended), ...Object.keys(wanted.extended)]);
  for (const name of names) if (now.extended[name] !== wanted.extended[name]) return `another attribute "${name}"`;
  return null;
}
