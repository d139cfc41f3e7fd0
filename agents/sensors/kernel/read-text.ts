import { readFileSync } from "node:fs";

/** A file of /proc or /sys; nothing where this kernel has none. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
