/** A new file is made whole beside its place, under a name that tells which call made it, and then put there by one rename. */

import { isSysError } from "../../../../sys/errors.ts";
import type { System } from "../../../../sys/system.ts";
import { quote } from "../../../paths/path-text.ts";
import type { Place } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { identityOf, isThe, statusAt, syncFolder } from "./slot.ts";

/** Undo finds by it what a call left half done. */
export function besideName(call: string, purpose: "new" | "undo"): string {
  return `.aios-${call}-${purpose}`;
}

/**
 * Makes a file, lets `fill` write it and give it its attributes, and makes it durable. Whatever `fill` throws, nothing is left.
 * @param folder a `path` descriptor
 */
export async function makeFile(sys: System, folder: number, name: string, fill: (fd: number) => Promise<void>): Promise<void> {
  const fd = sys.file.open(folder, name, ["read-write", "create", "exclusive"], [], 0o600);
  try {
    await fill(fd);
    await sys.file.sync(fd);
  } catch (error) {
    sys.file.unlink(folder, name, "file");
    throw error;
  } finally {
    sys.descriptor.close(fd);
  }
}

/**
 * Puts what was made beside into its place, and what was there beside. Only what was resolved is displaced: when somebody
 * else was quicker, everything is as it was.
 * @throws {ToolError}
 */
export async function exchangeIn(sys: System, place: Place, beside: string): Promise<void> {
  const { folder, name, status } = place;
  const what = `putting the new ${quote(place.path)} into its place`;
  if (status === null) {
    sys.file.rename(folder, beside, folder, name, "noreplace");
    return syncFolder(sys, folder);
  }
  const meanwhile = new ToolError(`${what} failed: it was changed meanwhile, and was left as it is; look again`);
  if (exchanged(sys, folder, beside, name)) {
    const displaced = statusAt(sys, folder, beside);
    const untouched = displaced !== null && displaced.mtime_ns === status.mtime_ns && displaced.size_bytes === status.size_bytes;
    if (!untouched || !isThe(displaced, identityOf(status))) {
      sys.file.rename(folder, beside, folder, name, "exchange");
      throw meanwhile;
    }
  } else {
    if (!isThe(statusAt(sys, folder, name), identityOf(status))) throw meanwhile;
    sys.file.rename(folder, beside, folder, name, "replace");
  }
  await syncFolder(sys, folder);
}

/** False where the file system cannot exchange. */
function exchanged(sys: System, folder: number, beside: string, name: string): boolean {
  try {
    sys.file.rename(folder, beside, folder, name, "exchange");
    return true;
  } catch (error) {
    if (isSysError(error, "EINVAL") || isSysError(error, "EOPNOTSUPP")) return false;
    throw error;
  }
}

/** Removes a file that a call left beside its place, if it did. */
export function clearBeside(sys: System, folder: number, name: string): void {
  if (statusAt(sys, folder, name) !== null) sys.file.unlink(folder, name, "file");
}
