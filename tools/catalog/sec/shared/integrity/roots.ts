/** The folders that a baseline is about. */

import { quote } from "../../../../paths/path-text.ts";
import { isOccupied, type Occupied, openPlace, type Place } from "../../../../paths/place.ts";
import { ToolError } from "../../../../tool.ts";
import { kernel_windows } from "../../../fs/shared/target.ts";

/** @throws {ToolError} where files are windows on the kernel, which change by themselves */
export function demandStored({ mount, path }: Pick<Place, "mount" | "path">, what: string): void {
  if (kernel_windows.has(mount.type))
    throw new ToolError(`${what} failed: ${quote(path)} is on ${mount.type}, where files are windows on the kernel; leave it out`);
}

/** A root of a baseline as it is now; null when there is nothing any more. @throws {ToolError} when the path leads elsewhere now */
export function openRoot(context: Parameters<typeof openPlace>[0], path: string, what: string): Occupied | null {
  const place = openPlace(context, path, "itself");
  if (place.path !== path) {
    place.close();
    throw new ToolError(`${what} failed: ${quote(path)} leads to ${quote(place.path)} now; look with fs.stat who put a link there`);
  }
  if (isOccupied(place)) return place;
  place.close();
  return null;
}

export function letGo(places: readonly (Place | null)[]): void {
  for (const place of places) place?.close();
}
