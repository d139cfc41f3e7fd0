/** Permission bits and capabilities of files that give away more than they should. */

import type { System } from "../../../../../sys/system.ts";
import type { Step } from "../../../fs/shared/walk.ts";
import type { Finding } from "./finding.ts";

const setuid = 0o4000;
const setgid = 0o2000;
const sticky = 0o1000;
const others_write = 0o002;

type Seen = Pick<Step, "fd" | "status">;

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

export function setuidFinding(sys: System, { fd, status }: Seen, where: string): Finding | null {
  if (status.type !== "file") return null;
  const capabilities = sys.file.attribute(fd, "security.capability");
  const owner = `of ${status.uid}:${status.gid}, mode ${octal(status.mode)}`;
  const base = {
    check: "setuid",
    where,
    advice: "take the bits away with fs.chmod, or the file; nothing in this system needs them",
  } as const;
  const runnable = (status.mode & 0o111) !== 0;
  if ((status.mode & setuid) !== 0 || ((status.mode & setgid) !== 0 && runnable)) {
    const as_root = (status.mode & setuid) !== 0 && status.uid === 0;
    const evidence = `${(status.mode & setuid) !== 0 ? "setuid" : "setgid"} ${owner}`;
    return { ...base, kind: "setuid-file", severity: as_root && runnable ? "high" : "medium", evidence };
  }
  if (capabilities === null) return null;
  return { ...base, kind: "file-capabilities", severity: "high", evidence: `file capabilities ${capabilities.toString("hex")}, ${owner}` };
}

export function writableFinding({ status }: Seen, where: string): Finding | null {
  const { type, mode, uid, gid } = status;
  if ((mode & others_write) === 0) return null;
  const evidence = `of ${uid}:${gid}, mode ${octal(mode)}`;
  const base = { check: "writable", where, evidence } as const;
  if (type === "file")
    return {
      ...base,
      kind: "world-writable-file",
      severity: (mode & 0o111) !== 0 ? "high" : "medium",
      advice: "take the right to write from others with fs.chmod",
    };
  if (type !== "directory" || (mode & sticky) !== 0) return null;
  return {
    ...base,
    kind: "world-writable-folder",
    severity: "medium",
    advice: 'everybody may replace others\' files in it: set the sticky bit ("1777") or take the right to write away with fs.chmod',
  };
}
