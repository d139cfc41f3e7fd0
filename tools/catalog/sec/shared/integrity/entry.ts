/** One thing in a baseline: a file with all that a change of it would show, or a piece of the broker's configuration. */

import { z } from "zod";
import { file_types } from "../../../../../sys/file/status.ts";
import { decodeName } from "../../../../paths/path-text.ts";

export const Entry = z.strictObject({
  /** Index in the baseline's roots; the number of roots for configuration. */
  root: z.number().int(),
  /** Below the root, as `encodeName` gives them; none for the root itself. */
  names: z.array(z.string()),
  type: z.enum([...file_types, "setting"]),
  mode: z.number().int(),
  uid: z.number().int(),
  gid: z.number().int(),
  /** Of a file. */
  size_bytes: z.number().int().nullable(),
  /** Of a file or setting; null: it was written to each time it was read. */
  sha256: z.string().nullable(),
  /** What a symbolic link says, as `encodeName` gives it; what a device stands for. */
  link: z.string().nullable(),
  /** Extended attributes, POSIX ACLs and file capabilities among them: short values in base64, others as their SHA-256. */
  extended: z.record(z.string(), z.string()),
  /** Why what is below it is not looked at: another mount, the broker's own. */
  closed: z.string().nullable(),
});
export type Entry = z.infer<typeof Entry>;

export type Key = Pick<Entry, "root" | "names">;

/** In the order in which a walk comes by: parents before children, names by their bytes. */
export function compareKeys(a: Key, b: Key): number {
  if (a.root !== b.root) return a.root - b.root;
  for (const [at, name] of a.names.entries()) {
    const other = b.names[at];
    if (other === undefined) return 1;
    if (name !== other) return Buffer.compare(decodeName(name), decodeName(other));
  }
  return a.names.length - b.names.length;
}

/** What is different, in words; empty when nothing is. */
export function differences(before: Entry, now: Entry): string[] {
  if (before.type !== now.type) return [`${before.type} became ${now.type}`];
  if (before.closed !== now.closed)
    return [now.closed === null ? "no longer covered" : `now covered by ${now.closed}, and not looked into`];
  const found: string[] = [];
  const octal = (mode: number): string => mode.toString(8).padStart(4, "0");
  if (before.mode !== now.mode) found.push(`mode ${octal(before.mode)} became ${octal(now.mode)}`);
  if (before.uid !== now.uid || before.gid !== now.gid) found.push(`owner ${before.uid}:${before.gid} became ${now.uid}:${now.gid}`);
  if (before.size_bytes !== now.size_bytes) found.push(`size ${before.size_bytes} became ${now.size_bytes} bytes`);
  if (now.sha256 === null && now.size_bytes !== null) found.push("content is being written to");
  else if (before.sha256 !== now.sha256) found.push(now.type === "setting" ? "set otherwise" : "content");
  if (before.link !== now.link) found.push(now.type === "symlink" ? "link target" : "device");
  const names = [...new Set([...Object.keys(before.extended), ...Object.keys(now.extended)])].sort();
  found.push(...names.filter((name) => before.extended[name] !== now.extended[name]).map((name) => `attribute ${JSON.stringify(name)}`));
  return found;
}
