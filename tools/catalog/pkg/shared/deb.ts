/** Single files: held by descriptor from the moment they are authorised, copied from it, and the same to the last bit or not taken. */

import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../../paths/place.ts";
import { ToolError } from "../../../tool.ts";
import { hashOf, openForReading } from "../../fs/shared/content.ts";
import { breathe, goOn } from "../../fs/shared/failure.ts";
import { PackageName, PackageVersion } from "./names.ts";

export interface AuthorisedFile {
  readonly place: Occupied;
  readonly sha256: string;
  readonly name: string;
  readonly version: string;
  /** As apt wants it. */
  readonly file_name: string;
}

const file_bytes_max = 1024 * 1024 * 1024;
const chunk_bytes = 1024 * 1024;

/** Opens, hashes and asks dpkg-deb(1) for its name. @param root a userland that is mounted. @throws {ToolError} */
export async function authoriseFile(path: string, root: string, context: Context): Promise<AuthorisedFile> {
  const what = `opening the package file ${quote(path)}`;
  const place = openExisting(context, path, "follow");
  try {
    if (place.status.type !== "file") throw new ToolError(`${what} failed: it is a ${place.status.type}, not a file`);
    if (place.status.size_bytes > file_bytes_max) throw new ToolError(`${what} failed: it is larger than ${file_bytes_max} bytes`);
    const fd = openForReading(context.sys, place.fd);
    try {
      const sha256 = await hashOf(fd, "sha256", context.signal);
      const { name, version, architecture } = await controlOf(place, root, what, context);
      return { place, sha256, name, version, file_name: `${name}_${version.replaceAll(":", "%3a")}_${architecture}.deb` };
    } finally {
      context.sys.descriptor.close(fd);
    }
  } catch (error) {
    place.close();
    throw error;
  }
}

async function controlOf(place: Occupied, root: string, what: string, { exec }: Context) {
  const finished = await exec.run({
    argv: ["/usr/bin/dpkg-deb", "--field", "/run/package.deb", "Package", "Version", "Architecture"],
    sandbox: { root, reads: [[place.fd, "/run/package.deb"]] },
    limits: { timeout_ms: 30_000, output_bytes_max: 4096 },
  });
  const text = Buffer.from(finished.stdout).toString();
  const field = (key: string): string => new RegExp(`^${key}: (.*)$`, "m").exec(text)?.[1] ?? "";
  const [name, version] = [PackageName.safeParse(field("Package")), PackageVersion.safeParse(field("Version"))];
  const architecture = field("Architecture");
  if (finished.status !== 0 || !name.success || !version.success || !/^[a-z0-9-]{1,30}$/.test(architecture)) {
    const said = Buffer.from(finished.stderr).toString().trim().slice(-300);
    throw new ToolError(`${what} failed: it is no Debian package${said === "" ? "" : `: ${said}`}`);
  }
  return { name: name.data, version: version.data, architecture };
}

/** @throws {ToolError} when it is not what was authorised any more */
export async function copyFile(file: AuthorisedFile, folder: string, context: Context): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const from = openForReading(context.sys, file.place.fd);
  const to = openSync(`${folder}/${file.file_name}`, "wx", 0o644);
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(chunk_bytes);
    for (let at = 0; ; ) {
      const length = readSync(from, chunk, 0, chunk.length, at);
      if (length === 0) break;
      hash.update(chunk.subarray(0, length));
      for (let done = 0; done < length; ) done += writeSync(to, chunk, done, length - done);
      at += length;
      await breathe();
      goOn(context.signal);
    }
    if (hash.digest("hex") !== file.sha256)
      throw new ToolError(
        `copying the package file ${quote(file.place.path)} failed: it was changed after it had been authorised; call again`,
      );
  } finally {
    context.sys.descriptor.close(from);
    closeSync(to);
  }
}
