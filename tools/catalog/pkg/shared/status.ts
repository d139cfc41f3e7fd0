/** What dpkg's database says is installed (dpkg(1), deb822(5)): read as a file, for the userland's own programs may be anything. */

import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { ToolError } from "../../../tool.ts";
import { readPart } from "../../fs/shared/content.ts";

export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly summary: string;
  readonly section: string;
  readonly size_kib: number;
  /** `installed`, or what dpkg has left it at (`half-configured`). */
  readonly state: string;
}

const status_bytes_max = 64 * 1024 * 1024;

/** @param root a userland that is mounted. @returns what is there in any way, by name; not what was removed but for its settings */
export function installedIn(root: string, { sys }: Pick<Context, "sys">): Map<string, Installed> {
  const found = new Map<string, Installed>();
  for (const fields of stanzas(readInside(root, "/var/lib/dpkg/status", sys))) {
    const name = fields.get("Package");
    const state = fields.get("Status")?.split(" ").at(-1) ?? "";
    if (name === undefined || state === "config-files" || state === "not-installed") continue;
    found.set(name, {
      name,
      version: fields.get("Version") ?? "",
      architecture: fields.get("Architecture") ?? "",
      summary: (fields.get("Description") ?? "").split("\n")[0] ?? "",
      section: fields.get("Section") ?? "",
      size_kib: Number(fields.get("Installed-Size") ?? 0),
      state,
    });
  }
  return found;
}

/** Paragraphs of `Field: value` with continuation lines. */
export function* stanzas(text: string): Generator<Map<string, string>> {
  for (const paragraph of text.split(/\n\n+/)) {
    const fields = new Map<string, string>();
    let last = "";
    for (const line of paragraph.split("\n")) {
      if (line.startsWith(" ") || line.startsWith("\t")) fields.set(last, `${fields.get(last) ?? ""}\n${line.slice(1)}`);
      else {
        const colon = line.indexOf(":");
        if (colon <= 0) continue;
        last = line.slice(0, colon);
        fields.set(last, line.slice(colon + 1).trim());
      }
    }
    if (fields.size > 0) yield fields;
  }
}

/** A file as the userland sees it: no link in it leads out, and nothing but a file is opened. @throws {ToolError} */
export function readInside(root: string, path: string, sys: Context["sys"]): string {
  const folder = sys.file.open("cwd", root, ["path", "directory"]);
  try {
    const fd = sys.file.open(folder, path, ["read", "nonblock"], ["in-root", "no-magiclinks"]);
    try {
      const { type, size_bytes } = sys.file.status(fd);
      if (type !== "file" || size_bytes > status_bytes_max)
        throw new ToolError(
          `reading ${quote(path)} of the userland failed: it is ${type === "file" ? `${size_bytes} bytes long` : `a ${type}`}`,
        );
      return readPart(fd, 0, size_bytes).toString();
    } finally {
      sys.descriptor.close(fd);
    }
  } finally {
    sys.descriptor.close(folder);
  }
}
