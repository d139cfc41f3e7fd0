/** A failed system call in the words of its caller. */

import { SysError } from "../../../../sys/errors.ts";
import { ToolError } from "../../../tool.ts";

const causes: Readonly<Record<string, string>> = {
  ENOSPC: "the file system is full (ENOSPC); fs.usage shows what takes the room",
  EDQUOT: "the quota is used up (EDQUOT)",
  EROFS: "it is mounted read-only (EROFS)",
  EACCES: "permission denied (EACCES)",
  EPERM: "the kernel does not permit it (EPERM): an immutable file, or a file system that cannot do it",
  EEXIST: "there is something already (EEXIST); it came meanwhile, look again",
  ENOENT: "it is not there any more (ENOENT); it went meanwhile, look again",
  ENOTEMPTY: "the folder is not empty (ENOTEMPTY)",
  EXDEV: "it is on another mount (EXDEV)",
  EBUSY: "it is in use, or a mount point (EBUSY)",
  EMLINK: "it has as many links as the file system can keep (EMLINK)",
  ENAMETOOLONG: "the name is too long for the file system (ENAMETOOLONG)",
  EFBIG: "it would be larger than the file system can keep (EFBIG)",
  EIO: "the disk cannot be read or written (EIO); sys.logs shows what the kernel says",
  EINVAL: "the file system does not accept it (EINVAL)",
  EOPNOTSUPP: "the file system cannot do it (EOPNOTSUPP)",
};

/** Does `work`; what the kernel refuses comes out as `<doing> failed: <cause>`. @param doing `writing "/etc/x"` */
export async function doing<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inWords(what, error);
  }
}

export function inWords(what: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === null || error instanceof ToolError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ToolError(`${what} failed: ${causes[code] ?? text}`, { cause: error });
}

/** Of our own system calls, and of the runtime's. */
function codeOf(error: unknown): string | null {
  if (error instanceof SysError) return error.code;
  return error instanceof Error && "code" in error && "syscall" in error && typeof error.code === "string" ? error.code : null;
}

/** @throws what the signal says, when the call was cancelled or its time is over */
export function goOn(signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
}

/** Lets others have their turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
