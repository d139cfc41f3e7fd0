/** The mount table as this process sees it (proc_pid_mountinfo(5)). */

import { openSync, readFileSync } from "node:fs";
import type { System } from "../../sys/system.ts";
import { isWithin, joinPath, textOf } from "./path-text.ts";

export interface Mount {
  readonly id: number;
  readonly parent_id: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Which folder of the file system is mounted; `/` unless it is a bind mount. */
  readonly root: string;
  readonly point: string;
  /** Of this mount: `rw,nosuid`. */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** Of the file system: `rw,size=64k`. */
  readonly super_options: readonly string[];
}

/** All mounts whose names are text, in the order in which they were made. */
export function readMounts(): Mount[] {
  return parseMounts(readFileSync("/proc/self/mountinfo"));
}

/** What was read last, and the descriptor by which the kernel says that it is so no more. */
let known: { readonly fd: number; mounts: readonly Mount[] } | null = null;

/** The same, read only when the kernel says that something has changed: for what every call asks. */
export function mountsNow(sys: Pick<System, "mount">): readonly Mount[] {
  if (known === null) {
    const fd = openSync("/proc/self/mountinfo", "r"); // first: what changes while it is read is told at the next look
    known = { fd, mounts: readMounts() };
  } else if (sys.mount.tableChanged(known.fd)) known.mounts = readMounts();
  return known.mounts;
}

export function parseMounts(bytes: Uint8Array): Mount[] {
  const mounts: Mount[] = [];
  for (const line of Buffer.from(bytes).toString("latin1").split("\n")) {
    const fields = is_plain.test(line) ? line.split(" ") : line.split(" ").map(unescaped);
    const dash = fields.indexOf("-", 6);
    const [id, parent_id, device, root, point, options] = fields;
    const [type, source, super_options] = fields.slice(dash + 1);
    if (dash === -1 || !id || !parent_id || !device || !root || !point) continue;
    mounts.push({
      ...{ id: Number(id), parent_id: Number(parent_id), device, root, point },
      options: (options ?? "").split(","),
      ...{ type: type ?? "", source: source ?? "" },
      super_options: (super_options ?? "").split(","),
    });
  }
  return mounts;
}

/** Most lines: ASCII without escapes. */
const is_plain = /^[\x20-\x5b\x5d-\x7e]*$/;

/** Space, tab, newline and backslash come as octal escapes. What is not UTF-8 becomes a text that is nobody's path. */
function unescaped(field: string): string {
  const bytes = Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    "latin1",
  );
  return textOf(bytes) ?? `?${bytes.toString("latin1")}`;
}

/**
 * Other names under which other mounts show the file at `path` of `mount`. Names that are hidden by a later mount are among
 * them: ask the kernel which are real.
 */
export function aliasesOf(path: string, mount: Mount, mounts: readonly Mount[]): string[] {
  const inside = below(path, mount.point);
  const in_file_system = inside === "" ? mount.root : joinPath(mount.root, inside);
  return mounts
    .filter((other) => other.id !== mount.id && other.device === mount.device && isWithin(in_file_system, other.root))
    .map((other) => {
      const rest = below(in_file_system, other.root);
      return rest === "" ? other.point : joinPath(other.point, rest);
    })
    .filter((name) => name !== path && name.startsWith("/"));
}

/** The part of `path` behind `folder`, without a slash in front. */
function below(path: string, folder: string): string {
  return path === folder ? "" : path.slice(folder === "/" ? 1 : folder.length + 1);
}
