/** Errors that ext4 found in its own structures since the file system was made or checked (Documentation/admin-guide/ext4.rst). */

import { readdirSync } from "node:fs";
import type { Figure } from "../figure.ts";
import { readText } from "./read-text.ts";

export function readFileSystemErrors(sys = "/sys"): Figure[] {
  const folder = `${sys}/fs/ext4`;
  let devices: string[];
  try {
    devices = readdirSync(folder)
      .filter((name) => name !== "features")
      .sort();
  } catch {
    return []; // no file system of this kind
  }
  return devices.flatMap((device) => {
    const errors = Number(readText(`${folder}/${device}/errors_count`) || Number.NaN);
    if (!Number.isFinite(errors)) return [];
    return [{ figure: "data.file_system_errors", subject: device, value: errors, detail: `${errors} errors so far` }];
  });
}
