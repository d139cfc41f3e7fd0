/** `root/keep.yaml`: everything that may be in the root, each with its reason. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const Path = z.string().regex(/^\/[^\s]*[^\s/]$/, "must be an absolute path");
const Reason = z.string().min(10);

const Keep = z.strictObject({
  executables: z.array(z.strictObject({ path: Path, reason: Reason })),
  files: z.array(z.strictObject({ path: Path, package: z.string().optional(), reason: Reason })),
  packages: z.array(z.strictObject({ name: z.string(), files: z.array(z.string()).min(1), reason: Reason })),
  built: z.array(z.strictObject({ from: z.string(), to: Path, executable: z.boolean(), reason: Reason })),
  loaders: z.array(z.strictObject({ path: Path, reason: Reason })),
  directories: z.array(z.strictObject({ path: Path, mode: z.string().regex(/^[01][0-7]{3}$/) })),
  symlinks: z.array(z.strictObject({ path: Path, to: z.string().min(1) })),
});
export type Keep = z.infer<typeof Keep>;

export function readKeep(file = join(import.meta.dir, "root/keep.yaml")): Keep {
  const found = Keep.safeParse(parse(readFileSync(file, "utf8")));
  if (!found.success) throw new Error(`reading the allow-list "${file}" failed: ${z.prettifyError(found.error)}`);
  return found.data;
}

/** Every path in the root that the kernel may execute. */
export function executablePaths(keep: Keep): string[] {
  return [
    ...keep.executables.map((entry) => entry.path),
    ...keep.built.filter((entry) => entry.executable).map((entry) => entry.to),
    ...keep.loaders.map((entry) => entry.path),
  ].sort();
}
